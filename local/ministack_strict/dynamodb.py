"""A rule for update expressions of DynamoDB (Developer Guide, "Using update expressions in DynamoDB")."""

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

from .replacing import anchor, replace

SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")


def changed_paths(update):
    """Returns the document paths that the actions of an update expression change. A list index is a number."""
    sections = []
    for kind, text in dynamodb._tokenize(update.get("UpdateExpression") or ""):
        if kind == "IDENT" and text.upper() in SECTIONS:
            sections.append([])
        elif sections and kind != "EOF":
            sections[-1].append((kind, text))
    actions = [action for tokens in sections for action in dynamodb._split_by_comma(tokens)]
    return [dynamodb._parse_path_from_tokens(action, update.get("ExpressionAttributeNames") or {}) for action in actions]


def shown(path):
    return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in path) + "]"


def overlap(update):
    """An expression may change each document path once, and no path within another. MiniStack applies all actions."""
    paths = changed_paths(update)
    for index, later in enumerate(paths):
        for earlier in paths[:index]:
            shared = min(len(earlier), len(later))
            if earlier[:shared] == later[:shared]:
                return error_response_json(
                    "ValidationException",
                    "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
                    f"these paths; path one: {shown(earlier)}, path two: {shown(later)}",
                    400,
                )
    return None


def update_item(original, data):
    return overlap(data) or original(data)


def transact_write_items(original, data):
    updates = [item["Update"] for item in data.get("TransactItems", []) if "Update" in item]
    return next((refusal for update in updates if (refusal := overlap(update))), None) or original(data)


def apply():
    for name in ("_tokenize", "_split_by_comma", "_parse_path_from_tokens"):
        anchor(dynamodb, name)
    replace(dynamodb, "_update_item", update_item)
    replace(dynamodb, "_transact_write_items", transact_write_items)
