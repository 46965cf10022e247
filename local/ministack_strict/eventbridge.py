"""Rules for EventBridge, for the input transformers of rules."""

from ministack.services import eventbridge

from .replacing import replace


def render_placeholder(original, name, token, replacements, in_string):
    """A string in place of a JSON value gets quotes, but the quotes in it are not escaped (EventBridge User Guide, "Amazon
    EventBridge input transformation", common issues). MiniStack escapes them."""
    value = replacements.get(name)
    if isinstance(value, str) and not in_string:
        return f'"{value}"'
    return original(name, token, replacements, in_string)


def apply():
    replace(eventbridge, "_render_placeholder", render_placeholder)
