"""Starts MiniStack, the local AWS, and makes it as strict as AWS.

Each rule documents the behaviour of AWS and its source. Rules change MiniStack in memory only. A rule replaces a function
or a text of MiniStack, and the start fails if that function or text does not exist.
"""

from importlib.metadata import version

import ministack.app as app

from . import (
    acm,
    dynamodb,
    eventbridge,
    iam,
    lambda_functions,
    local_pages,
    monitoring,
    route_53,
    secret_policies,
    secrets_manager,
    step_functions,
)

MINISTACK_VERSION = "1.5.33"


def main():
    if version("ministack") != MINISTACK_VERSION:
        raise SystemExit(
            f"The rules are for MiniStack {MINISTACK_VERSION}, but {version('ministack')} is installed. "
            "Check the rules and change MINISTACK_VERSION."
        )
    for rules in (lambda_functions, step_functions, eventbridge, dynamodb, acm, route_53, iam, monitoring, local_pages):
        rules.apply()
    # Both modules for secrets replace the same handler. The second calls the first, in the account of the secret.
    for rules in (secrets_manager, secret_policies):
        rules.apply()
    app.main()


if __name__ == "__main__":
    main()
