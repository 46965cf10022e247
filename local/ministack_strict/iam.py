"""Rules for IAM, for resources and condition keys that MiniStack does not support."""

import functools
import itertools
import json
import re

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

from .replacing import anchor, replace
from .route_53 import changes_of


def condition_key(original, key, ctx):
    """aws:PrincipalArn of a role session is the ARN of the role (IAM User Guide, "AWS global condition context keys").
    MiniStack uses the ARN of the session. Every request counts as sent by TLS, because clients reach AWS by https and
    the local AWS by http."""
    if key.lower() == "aws:securetransport":
        return "true"
    session = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+", ctx.principal_arn)
    role = iam._roles.get_scoped(session[1], None, session[2]) if session else None
    return role["Arn"] if role and key.lower() == "aws:principalarn" else original(key, ctx)


def resource_arn(original, service, method, path, headers, body, params, region, account_id):
    """A change in Route 53 and a new certificate in ACM have resource ARNs (Service Authorization Reference). MiniStack
    checks them as *."""
    arn = original(service, method, path, headers, body, params, region, account_id)
    if service == "route53" and (change := re.fullmatch(r"/2013-04-01/change/([A-Z0-9]+)", path)):
        return f"arn:aws:route53:::change/{change[1]}"
    if service == "acm" and arn == "*" and headers.get("x-amz-target", "").endswith("ImportCertificate"):
        return f"arn:aws:acm:{region}:{account_id}:certificate/*"
    return arn


# Condition keys of Secrets Manager with the value of a request parameter. Without the parameter the key does not exist.
SECRET_CONDITIONS = ["VersionId", "VersionStage", "BlockPublicPolicy", "ForceOverwriteReplicaSecret"]


def request_context(original, service, iam_action, body, params):
    """Adds the condition keys of route53:ChangeResourceRecordSets, of Secrets Manager, and of requests for one item of DynamoDB.

    Record names are normalised as in the Service Authorization Reference. They are in lower case without a trailing dot,
    and characters other than a-z 0-9 - _ . are octal escapes. Keys of Secrets Manager are not completed with defaults. A
    request without a stage has no secretsmanager:VersionStage (issue 5031 of aws/aws-cli).
    """
    context = original(service, iam_action, body, params)
    if service == "dynamodb":
        # The ledger has a partition key and no sort key, so the key of an item has one attribute.
        key = json.loads(body or b"{}").get("Key")
        if isinstance(key, dict):
            context["dynamodb:LeadingKeys"] = [value for attribute in key.values() for value in attribute.values()]
        return context
    if service == "secretsmanager":
        given = json.loads(body or b"{}")
        for name in SECRET_CONDITIONS:
            if (value := given.get(name)) is not None:
                context[f"secretsmanager:{name}"] = str(value).lower() if isinstance(value, bool) else value
        return context
    changes = changes_of(body) if iam_action == "route53:ChangeResourceRecordSets" else None
    if changes is None:
        return context
    escape = functools.partial(re.sub, r"[^a-z0-9\-_.\\]", lambda match: f"\\{ord(match[0]):03o}")
    return {
        **context,
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [escape(rs["Name"].rstrip(".")) for _, rs in changes],
        "route53:ChangeResourceRecordSetsRecordTypes": [rs["Type"] for _, rs in changes],
        "route53:ChangeResourceRecordSetsActions": [action for action, _ in changes],
    }


def members(params, prefix):
    """Returns the values of a list of the query protocol."""
    return list(itertools.takewhile(bool, (iam._p(params, f"{prefix}.member.{n}") for n in itertools.count(1))))


def simulate_principal_policy(params):
    """Evaluates each action on each resource, with the context of the request and the boundary of the role (IAM API Reference,
    "SimulatePrincipalPolicy"). MiniStack evaluates the first resource only, without a context."""
    principal = iam._p(params, "PolicySourceArn")
    account, name = principal.split(":")[4], principal.split("/")[-1]
    if iam._roles.get_scoped(account, None, name) is None:
        return iam._error(404, "NoSuchEntity", f"The role with name {name} cannot be found.", ns="iam")
    context = {}
    for n in itertools.count(1):
        entry = f"ContextEntries.member.{n}"
        if not (key := iam._p(params, f"{entry}.ContextKeyName")):
            break
        values = members(params, f"{entry}.ContextKeyValues")
        context[key.lower()] = values if iam._p(params, f"{entry}.ContextKeyType").endswith("List") else values[0]
    policies = iam_evaluator._gather_role_policies(name, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, name, account)
    results = ""
    for action in members(params, "ActionNames"):
        decisions = ""
        for resource in members(params, "ResourceArns") or ["*"]:
            request = iam_evaluator.EvalContext(
                principal, "AssumedRole", account, action, resource, "us-east-1", service_context=context
            )
            decision = iam_evaluator.evaluate(request, policies, *boundary).decision
            decision = {"Allow": "allowed", "Deny": "explicitDeny"}.get(decision, "implicitDeny")
            decisions += f"<member><EvalResourceName>{resource}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision></member>"
        results += (
            f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>"
            f"<ResourceSpecificResults>{decisions}</ResourceSpecificResults></member>"
        )
    results = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    result = f"<SimulatePrincipalPolicyResult>{results}</SimulatePrincipalPolicyResult>"
    return iam._xml(200, "SimulatePrincipalPolicyResponse", result, ns="iam")


def apply():
    anchor(iam, "_simulate_principal_policy")
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate_principal_policy
    replace(iam_evaluator, "_resolve_condition_key", condition_key)
    replace(iam_actions, "extract_resource_arn", resource_arn)
    replace(iam_actions, "request_tag_context", request_context)
