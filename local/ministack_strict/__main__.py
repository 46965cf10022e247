"""Starts MiniStack, the local AWS, and makes it as strict as AWS where it is kinder.

Each rule says what AWS does and how that is known. MiniStack is changed in memory only: a rule replaces a function or a
text that it names, and the start fails when that is not there.
"""

from importlib.metadata import version

import ministack.app as app

from . import acm, iam, lambda_functions, local_pages, route_53, secret_policies, secrets_manager, step_functions

MINISTACK_VERSION = "1.5.33"


def main():
    if version("ministack") != MINISTACK_VERSION:
        raise SystemExit(f"The rules are for MiniStack {MINISTACK_VERSION}, and {version('ministack')} is installed")
    # Both modules about secrets replace one handler. The second calls the first, in the account of the secret.
    for rules in (lambda_functions, step_functions, secrets_manager, secret_policies, acm, route_53, iam, local_pages):
        rules.apply()
    app.main()


if __name__ == "__main__":
    main()
