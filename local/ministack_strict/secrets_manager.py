"""Rules for the values and replicas of secrets (API reference of Secrets Manager: CreateSecret, PutSecretValue, GetSecretValue,
ListSecretVersionIds, DeleteSecret, StopReplicationToReplica)."""

import json
import time

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import secretsmanager

from .replacing import anchor, replace


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
    """The token becomes the version id. The name of a secret that is scheduled for deletion cannot be used."""
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
        versions.clear()  # A secret that is created without a value has no version.
        del answer["VersionId"]
    elif token:
        versions[token] = versions.pop(answer["VersionId"])
        answer["VersionId"] = token
    return json_response(answer)


def put_secret_value(original, data):
    """A token always names the same content. The first version also gets AWSCURRENT. A label is attached to one version only."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret or secret.get("DeletedDate") or secretsmanager._is_replica(secret):
        return original(data)  # MiniStack rejects these as AWS does.
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


def get_secret_value(original, data):
    """A version id and a label in one request must belong to the same version. MiniStack ignores the label."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    version, label = data.get("VersionId"), data.get("VersionStage")
    if secret and not secret.get("DeletedDate") and label and version in secret["Versions"]:
        if label not in secret["Versions"][version]["Stages"]:
            return error_response_json(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
                400,
            )
    return original(data)


def delete_secret(original, data):
    """A secret with replicas cannot be deleted, also not by force. MiniStack deletes its replicas too."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    regions = [status["Region"] for status in (secret or {}).get("ReplicationStatus", [])]
    if regions:
        return error_response_json(
            "InvalidParameterException",
            f"You can't delete secret {secret['ARN']} that still has replica regions [{', '.join(regions)}].",
            400,
        )
    return original(data)


def list_versions(original, data):
    """Versions without a label are listed only with IncludeDeprecated. MiniStack always lists them."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret or data.get("IncludeDeprecated"):
        return original(data)
    versions = secret["Versions"]
    secret["Versions"] = {id_: version for id_, version in versions.items() if version["Stages"]}
    try:
        return original(data)
    finally:
        secret["Versions"] = versions


def replica_error(_original):
    """AWS rejects every change of a replica with this error. MiniStack uses the name InvalidRequestException."""
    return error_response_json(
        "InvalidParameterException",
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        400,
    )


def remove_regions(secret, data):
    """RemoveRegionsFromReplication deletes the replicas of these regions."""
    leaving = [s for s in secret["ReplicationStatus"] if s["Region"] in data["RemoveReplicaRegions"]]
    secretsmanager._delete_replicas({**secret, "ReplicationStatus": leaving})
    secret["ReplicationStatus"] = [status for status in secret["ReplicationStatus"] if status not in leaving]
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})


def stop_replication(secret, _data):
    """StopReplicationToReplica makes a replica an ordinary secret, and is called in the replica's region."""
    if not secretsmanager._is_replica(secret):
        return error_response_json("InvalidParameterException", "The secret is not a replica.", 400)
    secretsmanager._unlink_from_primary(secret)
    del secret["_PrimarySecretArn"], secret["_PrimaryRegion"]
    return json_response({"ARN": secret["ARN"]})


# Calls that MiniStack does not support.
CALLS = {"RemoveRegionsFromReplication": remove_regions, "StopReplicationToReplica": stop_replication}


async def replication_calls(original, method, path, headers, body, query_params):
    call = CALLS.get(headers.get("x-amz-target", "").split(".")[-1])
    if not call:
        return await original(method, path, headers, body, query_params)
    data = json.loads(body)
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret:
        return error_response_json(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400
        )
    return call(secret, data)


def apply():
    for name in ("_delete_replicas", "_unlink_from_primary"):
        anchor(secretsmanager, name)
    replace(secretsmanager, "_create_secret", create_secret)
    replace(secretsmanager, "_put_secret_value", put_secret_value)
    replace(secretsmanager, "_get_secret_value", get_secret_value)
    replace(secretsmanager, "_delete_secret", delete_secret)
    replace(secretsmanager, "_list_secret_version_ids", list_versions)
    replace(secretsmanager, "_replica_mutation_error", replica_error)
    replace(secretsmanager, "handle_request", replication_calls)
