"""Rules for the resource policies of secrets, and for callers from other accounts."""

import copy
import json
import re

from ministack.core.iam_evaluator import request_caller_arn
from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    request_scope,
)
from ministack.services import iam, secretsmanager

from .replacing import replace


def put_resource_policy(original, data):
    """A role or user that is a principal must exist, because its unique id is stored instead of its ARN (IAM User Guide, "AWS
    JSON policy elements: Principal"). BlockPublicPolicy rejects a policy for all principals."""
    try:
        statements = json.loads(data.get("ResourcePolicy", ""))["Statement"]
    except (ValueError, KeyError, TypeError):
        return error_response_json(
            "MalformedPolicyDocumentException", "You provided a resource-based policy with syntax errors.", 400
        )
    for statement in statements:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        for arn in [named] if isinstance(named, str) else named or []:
            if arn == "*" and data.get("BlockPublicPolicy"):
                return error_response_json(
                    "PublicPolicyException", "The BlockPublicPolicy parameter is set to true: no public access.", 400
                )
            if not re.fullmatch(r"\*|\d{12}|arn:aws:iam::\d{12}:root", arn) and arn not in unique_ids():
                return error_response_json(
                    "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal.", 400
                )
    return original({**data, "ResourcePolicy": with_principals(data["ResourcePolicy"], unique_ids())})


def unique_ids():
    """Returns the unique ids of the roles and users of all accounts, by ARN."""
    roles = {role["Arn"]: role["RoleId"] for role in list(iam._roles._data.values())}
    return roles | {user["Arn"]: user["UserId"] for user in list(iam._users._data.values())}


def with_principals(policy, names):
    """Returns the policy with its principals renamed. The text is unchanged if no principal is renamed."""
    document = json.loads(policy or "{}")
    before = copy.deepcopy(document)
    for statement in document.get("Statement", []):
        principal = statement.get("Principal")
        if isinstance(principal, dict) and (named := principal.get("AWS")):
            each = [names.get(arn, arn) for arn in ([named] if isinstance(named, str) else named)]
            principal["AWS"] = each[0] if isinstance(named, str) else each
    return policy if document == before else json.dumps(document)


def arns_by_id():
    return {id_: arn for arn, id_ in unique_ids().items()}


def get_resource_policy(original, data):
    """The policy shows the ARN of a principal that exists, and the unique id of a principal that was deleted."""
    status, headers, body = original(data)
    answer = json.loads(body)
    if "ResourcePolicy" not in answer:
        return status, headers, body
    return json_response({**answer, "ResourcePolicy": with_principals(answer["ResourcePolicy"], arns_by_id())})


def account_of(secret_id):
    found = re.match(r"arn:aws:secretsmanager:[^:]+:(\d{12}):secret:", str(secret_id))
    return found[1] if found else get_account_id()


def secret_policy(original, arn):
    """The policies of all accounts are found, because callers from another account need one besides their own policy."""
    with request_scope(account_of(arn), get_region()):
        found = original(arn)
    return found and (with_principals(found[0], arns_by_id()), found[1])


async def handle_in_account_of_secret(original, method, path, headers, body, query_params):
    """A caller from another account names the secret by its complete ARN (User Guide, "Access secrets from a different
    account"). MiniStack looks for the secret in the caller's account, and checks no policy for root."""
    secret_id = json.loads(body or b"{}").get("SecretId")
    owner = account_of(secret_id)
    if owner == get_account_id():
        return await original(method, path, headers, body, query_params)
    caller = request_caller_arn(headers, query_params)
    with request_scope(owner, get_region()):
        _, secret = secretsmanager._resolve(secret_id)
        if caller.endswith(":root") or not secret or secret["ARN"] != secret_id:
            return error_response_json(
                "AccessDeniedException", f"User: {caller} is not authorized to access {secret_id}", 400
            )
        return await original(method, path, headers, body, query_params)


def apply():
    replace(secretsmanager, "_put_resource_policy", put_resource_policy)
    replace(secretsmanager, "_get_resource_policy", get_resource_policy)
    replace(secretsmanager, "secret_policy_for_arn", secret_policy)
    replace(secretsmanager, "handle_request", handle_in_account_of_secret)
