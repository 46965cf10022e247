"""Puts rules in the place of functions of MiniStack. The start fails when MiniStack is not what a rule was written for."""

import functools


def replace(module, name, rule):
    """Replaces a function of MiniStack. The rule gets the original as its first argument."""
    setattr(module, name, functools.partial(rule, anchor(module, name)))


def anchor(module, name):
    """The function of MiniStack that a rule replaces."""
    if not callable(getattr(module, name, None)):
        raise SystemExit(f"{module.__name__}.{name} is not in this MiniStack: a rule has lost its place")
    return getattr(module, name)


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"{old!r} occurs {text.count(old)} times in MiniStack's worker script instead of once")
    return text.replace(old, new)
