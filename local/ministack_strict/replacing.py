"""Replaces functions of MiniStack by rules. The start fails if MiniStack does not have the code that a rule replaces."""

import functools


def replace(module, name, rule):
    """Replaces a function of MiniStack. The rule gets the original as its first argument."""
    setattr(module, name, functools.partial(rule, anchor(module, name)))


def anchor(module, name):
    """Returns the function of MiniStack that a rule replaces."""
    if not callable(getattr(module, name, None)):
        raise SystemExit(f"MiniStack has no function {module.__name__}.{name}. Adapt the rule that replaces it.")
    return getattr(module, name)


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(
            f"MiniStack's worker script contains {old!r} {text.count(old)} times instead of once. Adapt the rule that replaces it."
        )
    return text.replace(old, new)
