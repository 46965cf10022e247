"""Starts MiniStack, the local AWS, and makes it as strict as AWS where it is kinder.

Each rule below says what AWS does and how that is known. MiniStack is changed in memory only, by replacing functions
and texts that are named here; `anchor` and `replace_once` stop the start when one of them is not what this file was
written for. Read-only addresses under /_local tell the tests what was called, logged and published.
"""

import copy
import datetime
import functools
import json
import re
import threading
import time
from importlib.metadata import version
from os import environ

import ministack.app as app
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.iam_evaluator import request_caller_arn
from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    new_uuid,
    request_scope,
)
from ministack.services import (
    acm,
    cloudwatch_logs,
    eventbridge,
    iam,
    lambda_svc,
    route53,
    secretsmanager,
    stepfunctions,
    tagging,
)

MINISTACK_VERSION = "1.5.33"


def anchor(module, name):
    """The function of MiniStack that a rule replaces."""
    if not callable(getattr(module, name, None)):
        raise SystemExit(f"{module.__name__}.{name} is not in this MiniStack: a rule has lost its place")
    return getattr(module, name)


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"{old!r} occurs {text.count(old)} times in MiniStack's worker script instead of once")
    return text.replace(old, new)


# --- Lambda -----------------------------------------------------------------------------------------------------------

# The runtime interface client of AWS sends {errorType, errorMessage, trace}; errorType is error.name, or the JavaScript
# type of what was thrown if that is no Error (aws/aws-lambda-nodejs-runtime-interface-client on GitHub, Errors.js), and
# the process lives on. MiniStack says Runtime.HandlerError, so Retry and Catch by name would never match, and ends the
# process. So the worker sends AWS's object as a marked result, and `execute` makes an error of it again.
ERROR_MARK = "perennial-error"
ERROR_FUNCTION = """
function _awsError(err) {
  const isError = err && [err.name, err.message, err.stack].every((part) => typeof part === "string");
  const described = isError
    ? { errorType: err.name, errorMessage: err.message, trace: err.stack.split("\\n") }
    : { errorType: typeof err, errorMessage: String(err), trace: [] };
  console.error("Invoke Error\\t" + JSON.stringify(described));
  return { "%s": described };
}
""" % ERROR_MARK


def worker_script(script):
    script = replace_once(
        script,
        'status: "error", error: String(err.message || err), trace: err.stack || ""',
        'status: "ok", result: _awsError(err)',
    )
    script = replace_once(
        script, 'status: "error", error: e.message, trace: e.stack\n', 'status: "ok", result: _awsError(e)\n'
    )
    # A promise rejected with nothing is a success for MiniStack.
    script = replace_once(script, "err => settle(err))", "err => settle(err ?? new Error(String(err))))")
    return ERROR_FUNCTION + script


def execute(original, func, event, request_id):
    result = original(func, event, request_id)
    body = result.get("body")
    if isinstance(body, dict) and ERROR_MARK in body:
        return {**result, "body": body[ERROR_MARK], "error": True}
    if result.get("error") and body.get("errorMessage") == "Worker process died":
        # What AWS reports of a process that was killed.
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        result["body"] = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return result


def throttled(original, *args, **kwargs):
    """A state whose function is throttled fails as Lambda.TooManyRequestsException (Developer Guide, "Handling transient Lambda service
    exceptions"); MiniStack says Lambda.Unknown, which no Retry names. Where waits are shortened so are those of every Retry, and twenty
    tries are over before another function has ended: there it waits for its place, for a minute at most."""
    result = original(*args, **kwargs)
    deadline = time.monotonic() + 60
    while result.get("throttle") and stepfunctions._SFN_WAIT_SCALE < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
        result = original(*args, **kwargs)
    if not result.get("throttle"):
        return result
    return {**result, "body": {"errorType": "Lambda.TooManyRequestsException", "errorMessage": str(result.get("body"))}}


# --- Step Functions ---------------------------------------------------------------------------------------------------


def start_execution(original, data):
    """The same name and input as an execution that still runs answers that one (API reference, StartExecution)."""
    machine = data.get("stateMachineArn", "")
    name = data.get("name")
    running = stepfunctions._executions.get(machine.replace(":stateMachine:", ":execution:") + f":{name}")
    if name and running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
        return json_response({"executionArn": running["executionArn"], "startDate": running["startDate"]})
    return original(data)


def nested_start(original, resource, input_data):
    """states:startExecution of a name that exists fails as StepFunctions.ExecutionAlreadyExistsException."""
    try:
        return original(resource, input_data)
    except stepfunctions._ExecutionError as error:
        if error.error == "ExecutionAlreadyExists":
            error.error = "StepFunctions.ExecutionAlreadyExistsException"
        raise


HANDLERS = {
    "Pass": "_execute_pass",
    "Task": "_execute_task",
    "Choice": "_execute_choice",
    "Wait": "_execute_wait",
    "Parallel": "_execute_parallel",
    "Map": "_execute_map",
}


def run_sub_machine(_original, states, start_at, input_data, execution, ctx):
    """The states of a Parallel branch or a Map item are in the history like all others, and what they assign stays with
    them (Developer Guide, "Passing data between states with variables"). MiniStack leaves them out of the history and
    lets branches share the variables of the state around them."""
    scope = {**ctx, "variables": dict(ctx.get("variables", {}))}
    name, data = start_at, copy.deepcopy(input_data)
    while name:
        state = states[name]
        kind = state["Type"]
        scope["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        details = {"name": name, "input": json.dumps(data)}
        stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, data, scope))
        left = name
        if kind == "Succeed":
            data, name = stepfunctions._apply_output_path(state, data, scope), None
        elif kind in ("Task", "Parallel", "Map"):
            data, name = getattr(stepfunctions, HANDLERS[kind])(state, data, execution, scope)
        else:
            data, name = getattr(stepfunctions, HANDLERS[kind])(state, data, scope)
        details = {"name": left, "output": json.dumps(data)}
        stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": details})
    return data


history_lock = threading.Lock()


def add_event(original, execution, event_type, details=None):
    """Branches and items write into one history: an event's id is taken by one of them."""
    with history_lock:
        return original(execution, event_type, details)


def succeed_output(original, state, data, ctx=None):
    """Succeed has an Output in JSONata; MiniStack knows OutputPath only."""
    if state.get("Type") == "Succeed" and stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, data, ctx, default=data)
    return original(state, data, ctx)


def parallel_output(original, state, data, execution, ctx):
    """Parallel has Output and Assign in JSONata; MiniStack knows ResultPath only."""
    results, following = original(state, data, execution, ctx)
    if stepfunctions._state_query_language(state, ctx) != "JSONata":
        return results, following
    output = stepfunctions._apply_jsonata_output(state, data, ctx, result=results, default=results)
    stepfunctions._apply_state_assign(state, data, ctx, result=results)
    return output, following


# --- Secrets Manager (API reference: CreateSecret, PutSecretValue) ----------------------------------------------------


def bad_token(data):
    token = data.get("ClientRequestToken")
    if token is not None and not 32 <= len(token) <= 64:
        return error_response_json(
            "InvalidParameterException", "ClientRequestToken must be 32 to 64 characters long.", 400
        )
    return None


def same_value(version_, data):
    return (version_["SecretString"], version_["SecretBinary"]) == (data.get("SecretString"), data.get("SecretBinary"))


def create_secret(original, data):
    """The token becomes the version's id; a name that waits for its deletion cannot be taken."""
    if refusal := bad_token(data):
        return refusal
    existing = secretsmanager._secrets.get(data.get("Name"))
    token = data.get("ClientRequestToken")
    if existing and existing.get("DeletedDate"):
        return error_response_json(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
            400,
        )
    if existing and token in existing["Versions"] and same_value(existing["Versions"][token], data):
        return json_response({"ARN": existing["ARN"], "Name": existing["Name"], "VersionId": token})
    status, headers, body = original(data)
    if status != 200:
        return status, headers, body
    answer = json.loads(body)
    versions = secretsmanager._secrets[data["Name"]]["Versions"]
    if data.get("SecretString") is None and data.get("SecretBinary") is None:
        versions.clear()  # A secret made without a value has no version.
        del answer["VersionId"]
    elif token:
        versions[token] = versions.pop(answer["VersionId"])
        answer["VersionId"] = token
    return json_response(answer)


def put_secret_value(original, data):
    """A token names one content for ever; the first version gets AWSCURRENT as well; a label is on one version only."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret or secret.get("DeletedDate") or secretsmanager._is_replica(secret):
        return original(data)  # Its refusals are AWS's.
    if refusal := bad_token(data):
        return refusal
    token = data.get("ClientRequestToken") or new_uuid()
    versions = secret["Versions"]
    stored = versions.get(token)
    if stored and not same_value(stored, data):
        return error_response_json(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret "
            f"{secret['ARN']}.",
            400,
        )
    if not stored:
        labels = list(data.get("VersionStages") or ["AWSCURRENT"])
        if not any("AWSCURRENT" in other["Stages"] for other in versions.values()) and "AWSCURRENT" not in labels:
            labels.append("AWSCURRENT")
        versions[token] = {
            "SecretString": data.get("SecretString"),
            "SecretBinary": data.get("SecretBinary"),
            "CreatedDate": int(time.time()),
            "Stages": [],
        }
        for label in labels:
            if label == "AWSCURRENT":
                secretsmanager._apply_current_promotion(secret, token)
            else:
                secretsmanager._remove_stage_everywhere(secret, label)
                secretsmanager._add_stage(secret, token, label)
        secret["LastChangedDate"] = int(time.time())
        secretsmanager._sync_replicas(secret)
    return json_response(
        {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": versions[token]["Stages"]}
    )


def put_resource_policy(original, data):
    """A role or user that is the principal has to exist, since its unique id is stored in the place of its ARN (IAM User Guide, "AWS JSON
    policy elements: Principal"), and a policy for everybody is refused under BlockPublicPolicy."""
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
    """Of the roles and users of all accounts, by their ARNs."""
    roles = {role["Arn"]: role["RoleId"] for role in list(iam._roles._data.values())}
    return roles | {user["Arn"]: user["UserId"] for user in list(iam._users._data.values())}


def with_principals(policy, names):
    """The policy with principals under other names; as it was written where that changes none."""
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
    """The ARN of a principal that is still there, and the id of one that is no more."""
    status, headers, body = original(data)
    answer = json.loads(body)
    if "ResourcePolicy" not in answer:
        return status, headers, body
    return json_response({**answer, "ResourcePolicy": with_principals(answer["ResourcePolicy"], arns_by_id())})


def account_of(secret_id):
    found = re.match(r"arn:aws:secretsmanager:[^:]+:(\d{12}):secret:", str(secret_id))
    return found[1] if found else get_account_id()


def secret_policy(original, arn):
    """Of the secrets of all accounts: callers of another one need it, and a policy of their own."""
    with request_scope(account_of(arn), get_region()):
        found = original(arn)
    return found and (with_principals(found[0], arns_by_id()), found[1])


async def handle_secrets(original, method, path, headers, body, query_params):
    """A caller of another account names the secret by its whole ARN (User Guide, "Access secrets from a different account"). MiniStack
    looks for it in the caller's, and asks no policy about root."""
    secret_id = json.loads(body or b"{}").get("SecretId")
    owner = account_of(secret_id)
    if owner == get_account_id():
        return await handle_own_secrets(original, method, path, headers, body, query_params)
    caller = request_caller_arn(headers, query_params)
    with request_scope(owner, get_region()):
        _, secret = secretsmanager._resolve(secret_id)
        if caller.endswith(":root") or not secret or secret["ARN"] != secret_id:
            return error_response_json(
                "AccessDeniedException", f"User: {caller} is not authorized to access {secret_id}", 400
            )
        return await handle_own_secrets(original, method, path, headers, body, query_params)


async def handle_own_secrets(original, method, path, headers, body, query_params):
    """RemoveRegionsFromReplication, which MiniStack does not know: the replicas of these regions are deleted."""
    if headers.get("x-amz-target", "").split(".")[-1] != "RemoveRegionsFromReplication":
        return await original(method, path, headers, body, query_params)
    data = json.loads(body)
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret:
        return error_response_json(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400
        )
    leaving = [s for s in secret["ReplicationStatus"] if s["Region"] in data["RemoveReplicaRegions"]]
    secretsmanager._delete_replicas({**secret, "ReplicationStatus": leaving})
    secret["ReplicationStatus"] = [status for status in secret["ReplicationStatus"] if status not in leaving]
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})


# --- ACM (User Guide, "Prerequisites for importing ACM certificates", "Reimport a certificate"; API reference) --------

EC_NAMES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}
LISTED_BY_DEFAULT = ["RSA_1024", "RSA_2048"]


def key_algorithm(public_key):
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA_{public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return EC_NAMES.get(public_key.curve.name, public_key.curve.name)
    return type(public_key).__name__


def leaf_of(stored):
    """The parsed certificate of an imported item; ACM's own are placeholders that do not parse."""
    if stored.get("Type") != "IMPORTED":
        return None
    return x509.load_pem_x509_certificate(stored["_pem_body"].encode())


def spki(public_key):
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_usages(certificate):
    """As ACM names them; none without the extension."""
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    return {name.upper().replace("CONTENT_COMMITMENT", "NON_REPUDIATION") for name in names if getattr(usage, name)}


EXTENDED_USAGES = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING",
    "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING",
    "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING",
}


def extended_key_usages(certificate):
    """As ACM names them, by OID and in the certificate's order; none without the extension."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return {}
    return {each.dotted_string: EXTENDED_USAGES.get(each.dotted_string, "CUSTOM") for each in usage}


def dns_names(certificate):
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def reimport_refusal(before, leaf):
    """ACM has no words of its own for these in its documentation, and one error for all."""
    if key_algorithm(before.public_key()) != key_algorithm(leaf.public_key()):
        return "The new certificate's key type and size must match those of the certificate it replaces."
    if not {name.lower() for name in dns_names(before)} & {name.lower() for name in dns_names(leaf)}:
        return "You cannot remove all of the domain names of the certificate that is replaced."
    lost = key_usages(before) - key_usages(leaf)
    if isinstance(leaf.public_key(), ec.EllipticCurvePublicKey):
        lost.discard("KEY_ENCIPHERMENT")
    if lost:
        return f"Key usages of the certificate that is replaced cannot be removed: {', '.join(sorted(lost))}."
    lost = set(extended_key_usages(before).items()) - set(extended_key_usages(leaf).items())
    lost = {name for _, name in lost} - {"TLS_WEB_CLIENT_AUTHENTICATION"}
    if lost:
        return f"Extended key usages of the certificate that is replaced cannot be removed: {', '.join(sorted(lost))}."
    return None


def import_refusal(data):
    """The sentence with which ACM refuses an import, or None."""
    stored = acm._certificates.get(data.get("CertificateArn"))
    if stored and data.get("Tags"):
        return "Tagging is not permitted on re-import."
    try:
        leaves = x509.load_pem_x509_certificates(acm._decode_pem_field(data.get("Certificate")).encode())
        chain_text = acm._decode_pem_field(data.get("CertificateChain")).strip()
        chain = x509.load_pem_x509_certificates(chain_text.encode()) if chain_text else []
    except ValueError as error:
        return f"The certificate or its chain is not in a valid PEM format: {error}"
    if len(leaves) != 1:
        return "The certificate field contains more than one certificate. Give the others as the chain."
    leaf = leaves[0]
    try:
        key = serialization.load_pem_private_key(acm._decode_pem_field(data.get("PrivateKey")).encode(), None)
    except (ValueError, TypeError):
        return "The private key is not in a valid, unencrypted PEM format."
    if spki(key.public_key()) != spki(leaf.public_key()):
        return "The private key does not match the certificate's public key."
    now = datetime.datetime.now(datetime.timezone.utc)
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        return "The certificate is not valid at this moment."
    if not chain and leaf.issuer != leaf.subject:
        return "Provided certificate is not a valid self-signed one, and it came without a certificate chain."
    if chain and type(leaf.public_key()) is not type(chain[0].public_key()):
        return "The algorithm of the certificate's key must match the algorithm of the signing CA's key."
    for child, issuer in zip([leaf, *chain], chain):
        try:
            child.verify_directly_issued_by(issuer)
        except Exception:  # Each of its causes means the same here.
            return "Could not validate the certificate with the certificate chain."
    return reimport_refusal(leaf_of(stored), leaf) if stored else None


def import_certificate(original, data):
    if data.get("PrivateKey") and (refusal := import_refusal(data)):
        return error_response_json("ValidationException", refusal, 400)
    status, headers, body = original(data)
    if status == 200:
        stored = acm._certificates[json.loads(body)["CertificateArn"]]
        leaf = leaf_of(stored)
        stored["SubjectAlternativeNames"] = dns_names(leaf)
        stored["DomainName"] = stored["SubjectAlternativeNames"][0]
        stored["NotBefore"] = leaf.not_valid_before_utc.timestamp()
        stored["NotAfter"] = leaf.not_valid_after_utc.timestamp()
    return status, headers, body


def describe_shape(original, stored):
    """KeyAlgorithm, usages and Serial of the certificate itself; MiniStack calls every key RSA_2048."""
    shape = original(stored)
    if leaf := leaf_of(stored):
        serial = f"{leaf.serial_number:x}"
        serial = serial.zfill(len(serial) + len(serial) % 2)
        shape["KeyAlgorithm"] = key_algorithm(leaf.public_key())
        shape["KeyUsages"] = [{"Name": name} for name in sorted(key_usages(leaf))]
        shape["ExtendedKeyUsages"] = [
            {"Name": name, "OID": oid} for oid, name in extended_key_usages(leaf).items()
        ]
        shape["Serial"] = ":".join(re.findall("..", serial))
        shape["ImportedAt"] = shape.pop("IssuedAt")
    return shape


def list_certificates(original, data):
    """Without Includes.keyTypes only RSA_1024 and RSA_2048 are listed."""
    wanted = (data.get("Includes") or {}).get("keyTypes") or LISTED_BY_DEFAULT
    status, _, body = original(data)
    summaries = []
    for summary in json.loads(body)["CertificateSummaryList"]:
        stored = acm._certificates[summary["CertificateArn"]]
        leaf = leaf_of(stored)
        summary["KeyAlgorithm"] = key_algorithm(leaf.public_key()) if leaf else "RSA_2048"
        summary["Type"] = stored["Type"]
        if summary["KeyAlgorithm"] in wanted:
            summaries.append(summary)
    return json_response({"CertificateSummaryList": summaries}, status)


# --- Route 53 (API reference: ChangeResourceRecordSets; Developer Guide, "Quotas") ------------------------------------

# ResourceRecord elements in one request; an UPSERT counts twice. The same request may hold 32,000 characters of values.
MAX_RECORDS = 1000
MAX_CHARACTERS = 32000
# Values of one set.
MAX_VALUES = 400
# Each text of a TXT value is quoted, and 255 characters long at most.
TXT_VALUE = re.compile(r'"(?:[^"\\]|\\.){0,255}"(?:\s+"(?:[^"\\]|\\.){0,255}")*')


def change_refusal(zone_name, changes):
    def weight(action):
        return 2 if action == "UPSERT" else 1

    records = sum(weight(action) * len(rs.get("ResourceRecords", [])) for action, rs in changes)
    characters = sum(weight(action) * len("".join(rs.get("ResourceRecords", []))) for action, rs in changes)
    if records > MAX_RECORDS:
        return f"Number of records limit of {MAX_RECORDS} exceeded."
    if characters > MAX_CHARACTERS:
        return f"Number of characters limit of {MAX_CHARACTERS} exceeded."
    for action, rs in changes:
        name, values = rs["Name"], rs.get("ResourceRecords", [])
        if name != zone_name and not name.endswith(f".{zone_name}"):
            return f"RRSet with DNS name {name} is not permitted in zone {zone_name}"
        if action != "DELETE" and len(values) > MAX_VALUES:
            return f"RRSet with DNS name {name}, type {rs['Type']} has more than {MAX_VALUES} values"
        if len(set(values)) != len(values):
            return f"Duplicate Resource Record in the RRSet with DNS name {name}, type {rs['Type']}"
        if rs["Type"] == "TXT" and not all(TXT_VALUE.fullmatch(value) for value in values):
            return f"InvalidCharacterString: each text of {name} is enclosed in quotation marks, 255 characters at most"
    return None


def changes_of(body):
    """(action, record set) of each change in a request, or None where MiniStack refuses it anyway."""
    root = route53._parse_body(body)
    batch = None if root is None else route53._find(root, "ChangeBatch")
    changes = None if batch is None else route53._find(batch, "Changes")
    if changes is None:
        return None
    elements = [(change, route53._find(change, "ResourceRecordSet")) for change in route53._findall(changes, "Change")]
    return [
        (route53._text(change, "Action"), route53._parse_record_set(rs)) for change, rs in elements if rs is not None
    ]


def change_record_sets(original, zone_id, body):
    """Names belong to the zone, batches have a size, TXT values are quoted, and sets do not exclude each other."""
    zone = route53._zones.get(zone_id)
    changes = changes_of(body)
    if zone and changes is not None:
        refusal = change_refusal(zone["name"], changes)
        if not refusal:
            refusal = conflict(zone_id, route53._records[zone_id], changes)
        if refusal:
            return route53._error_response("InvalidChangeBatch", f"[{refusal}]")
    return original(zone_id, body)


def conflict(zone_id, stored, changes):
    """A CNAME stands alone; sets with and without a routing policy do not share a name and type (refused in these words:
    issue 100 of chef-boneyard/route53); an alias of a set in the zone has a target (issue 227 of barnybug/cli53)."""
    sets = {(rs["Name"], rs["Type"], rs.get("SetIdentifier")) for rs in stored}
    for action, rs in changes:
        name, kind, identifier = rs["Name"], rs["Type"], rs.get("SetIdentifier")
        if action == "DELETE":
            sets.discard((name, kind, identifier))
            continue
        others = {each[1] for each in sets if each[0] == name} - {kind}
        if others and (kind == "CNAME" or "CNAME" in others):
            return (
                f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet "
                f"of type {sorted(others)[0]} with the same DNS name already exists in the zone"
            )
        beside = {each[2] for each in sets if each[:2] == (name, kind)}
        if beside and (None in beside) != (identifier is None):
            return (
                f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name "
                "and type."
            )
        sets.add((name, kind, identifier))
    there = {each[:2] for each in sets}
    for action, rs in changes:
        target = rs.get("AliasTarget", {})
        alias_here = action != "DELETE" and target.get("HostedZoneId") == zone_id
        if alias_here and (target["DNSName"], rs["Type"]) not in there:
            return (
                f"Tried to create an alias that targets {target['DNSName']}, type {rs['Type']} in zone {zone_id}, "
                "but that target was not found"
            )
    return None


def normalise_name(original, name):
    """Route 53 keeps names in lower case."""
    return original(name).lower()


def delegation_set(original, parent, zone_name):
    """The name servers of a zone lead to the local DNS server; in a delegation set they have no trailing dot."""
    name_servers = route53.SubElement(route53.SubElement(parent, "DelegationSet"), "NameServers")
    for name in route53._DEFAULT_NS:
        route53.SubElement(name_servers, "NameServer").text = name.rstrip(".")


def route_53_error(original, code, message, status=400):
    """A zone of another account is denied, not missing; MiniStack knows the zones of the caller's account only."""
    zone_id = message.rsplit(" ", 1)[-1]
    if code == "NoSuchHostedZone" and any(key[-1] == zone_id for key in list(route53._zones._data)):
        return original("AccessDenied", f"User: {iam_evaluator.caller_arn()} is not authorized to access this resource", 403)
    return original(code, message, status)


# --- IAM --------------------------------------------------------------------------------------------------------------


def condition_key(original, key, ctx):
    """aws:PrincipalArn of a role's session is the ARN of the role (IAM User Guide, "AWS global condition context keys"); MiniStack says
    that of the session."""
    session = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+", ctx.principal_arn)
    role = iam._roles.get_scoped(session[1], None, session[2]) if session else None
    return role["Arn"] if role and key.lower() == "aws:principalarn" else original(key, ctx)


def resource_arn(original, service, method, path, headers, body, params, region, account_id):
    """Resources that AWS asks about where MiniStack asks about * (Service Authorization Reference): a change in
    Route 53, and a certificate that does not exist yet in ACM."""
    arn = original(service, method, path, headers, body, params, region, account_id)
    if service == "route53" and (change := re.fullmatch(r"/2013-04-01/change/([A-Z0-9]+)", path)):
        return f"arn:aws:route53:::change/{change[1]}"
    if service == "acm" and arn == "*" and headers.get("x-amz-target", "").endswith("ImportCertificate"):
        return f"arn:aws:acm:{region}:{account_id}:certificate/*"
    return arn


def certificate_tags():
    """aws:ResourceTag of ACM certificates, which MiniStack knows of other services only."""
    for arn, certificate in acm._certificates.items():
        yield arn, certificate.get("Tags", [])


# Condition keys of Secrets Manager that are a parameter of the request, and absent where that is.
SECRET_CONDITIONS = ["VersionId", "VersionStage", "BlockPublicPolicy", "ForceOverwriteReplicaSecret"]


def request_context(original, service, iam_action, body, params):
    """The condition keys of route53:ChangeResourceRecordSets, normalised as the Service Authorization Reference says:
    lower case, no trailing dot, everything but a-z 0-9 - _ . as an octal escape. Those of secretsmanager as they come: a request
    for no stage has no secretsmanager:VersionStage (issue 5031 of aws/aws-cli)."""
    context = original(service, iam_action, body, params)
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


# --- What the tests look at, without an API call of their own ---------------------------------------------------------

api_calls = []
bus_events = []


async def record_call(original, method, path, headers, body, query_params, request_id):
    response = await original(method, path, headers, body, query_params, request_id)
    params = app._routing_params(method, path, headers, body, query_params)
    service = app.detect_service(method, path, headers, params)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, params) or f"{service}:?"
    api_calls.append(
        {
            "service": action.split(":")[0],
            "operation": action.split(":")[1],
            "caller": request_caller_arn(headers, query_params),
            "status": response[0],
            "at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
    )
    return response


def record_event(original, event, view=None):
    bus_events.append(
        {
            "bus": event.get("EventBusName", "default"),
            "source": event["Source"],
            "detailType": event["DetailType"],
            # A workflow's events:putEvents may give an object.
            "detail": json.loads(event["Detail"]) if isinstance(event["Detail"], str) else event["Detail"],
        }
    )
    return original(event, view)


def log_events():
    return [
        {"logGroup": group, "logStream": name, "timestamp": event["timestamp"], "message": event["message"]}
        for (_, _, group), stored in list(cloudwatch_logs._log_groups._data.items())
        for name, stream in list(stored["streams"].items())
        for event in list(stream["events"])
    ]


def hosted_zones():
    def record(rs):
        return {
            "name": rs["Name"],
            "type": rs["Type"],
            "ttl": int(rs.get("TTL") or 60),
            "values": rs.get("ResourceRecords", []),
        }

    with route53._lock:
        return [
            {"id": zone["id"], "name": zone["name"], "records": [record(rs) for rs in route53._records._data[key]]}
            for key, zone in route53._zones._data.items()
            if not zone["private"]
        ]


LOCAL_PAGES = {
    "/_local/api-calls": lambda: api_calls,
    "/_local/bus-events": lambda: bus_events,
    "/_local/log-events": log_events,
    "/_local/hosted-zones": hosted_zones,
}


def with_local_pages(original):
    async def serve(scope, receive, send):
        page = LOCAL_PAGES.get(scope.get("path"))
        if page is None:
            return await original(scope, receive, send)
        body = json.dumps(page()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return serve


# --- Start ------------------------------------------------------------------------------------------------------------

RULES = [
    (lambda_svc, "_execute_function_warm", execute),
    (lambda_svc, "_execute_function_with_config_scope", throttled),
    (stepfunctions, "_start_execution", start_execution),
    (stepfunctions, "_invoke_nested_start_execution", nested_start),
    (stepfunctions, "_run_sub_machine", run_sub_machine),
    (stepfunctions, "_add_event", add_event),
    (stepfunctions, "_apply_output_path", succeed_output),
    (stepfunctions, "_run_parallel_branches", parallel_output),
    (secretsmanager, "_create_secret", create_secret),
    (secretsmanager, "_put_secret_value", put_secret_value),
    (secretsmanager, "_put_resource_policy", put_resource_policy),
    (secretsmanager, "_get_resource_policy", get_resource_policy),
    (secretsmanager, "secret_policy_for_arn", secret_policy),
    (secretsmanager, "handle_request", handle_secrets),
    (acm, "_import_certificate", import_certificate),
    (acm, "_cert_shape", describe_shape),
    (acm, "_list_certificates", list_certificates),
    (route53, "_change_resource_record_sets", change_record_sets),
    (route53, "_normalise_name", normalise_name),
    (route53, "_build_delegation_set_el", delegation_set),
    (route53, "_error_response", route_53_error),
    (iam_evaluator, "_resolve_condition_key", condition_key),
    (iam_actions, "extract_resource_arn", resource_arn),
    (iam_actions, "request_tag_context", request_context),
    (app, "_dispatch_service_request", record_call),
    (eventbridge, "_dispatch_event", record_event),
]


def main():
    if version("ministack") != MINISTACK_VERSION:
        raise SystemExit(f"The rules are for MiniStack {MINISTACK_VERSION}, and {version('ministack')} is installed")
    for name in HANDLERS.values():
        anchor(stepfunctions, name)
    for module, name, rule in RULES:
        setattr(module, name, functools.partial(rule, anchor(module, name)))
    lambda_runtime._NODEJS_WORKER_SCRIPT = worker_script(lambda_runtime._NODEJS_WORKER_SCRIPT)
    tagging._RESOURCE_TAG_COLLECTORS["acm"] = certificate_tags
    route53._DEFAULT_NS = [environ["PERENNIAL_NAME_SERVER"] + "."]
    app.app = with_local_pages(app.app)
    app.main()


if __name__ == "__main__":
    main()
