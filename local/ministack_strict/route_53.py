"""Rules for Route 53 (API reference: ChangeResourceRecordSets; Developer Guide, "Quotas")."""

import re
import time
from os import environ

from ministack.core import iam_evaluator
from ministack.services import route53, stepfunctions

from .replacing import replace

# Maximum number of ResourceRecord elements in one request. An UPSERT counts twice.
MAX_RECORDS = 1000
# Maximum number of characters in the values of one request.
MAX_CHARACTERS = 32000
# Maximum number of values in one record set.
MAX_VALUES = 400
# Seconds until a change is INSYNC. It is shortened like the waits of the workflows.
INSYNC_AFTER = 0.5
# Each string of a TXT value is quoted and has at most 255 characters.
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
    """Returns (action, record set) of each change in a request, or None if MiniStack rejects the request itself."""
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
    """Names must belong to the zone, batches have a maximum size, TXT values are quoted, and record sets must not conflict."""
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
    """Returns why the changed record sets conflict, or None.

    A name with a CNAME has no other sets. Sets with and without a routing policy do not share a name and type (message as
    in issue 100 of chef-boneyard/route53). The target of an alias in the same zone must exist (issue 227 of
    barnybug/cli53).
    """
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
    existing = {each[:2] for each in sets}
    for action, rs in changes:
        target = rs.get("AliasTarget", {})
        alias_here = action != "DELETE" and target.get("HostedZoneId") == zone_id
        if alias_here and (target["DNSName"], rs["Type"]) not in existing:
            return (
                f"Tried to create an alias that targets {target['DNSName']}, type {rs['Type']} in zone {zone_id}, "
                "but that target was not found"
            )
    return None


def normalise_name(original, name):
    """Route 53 stores names in lower case."""
    return original(name).lower()


def delegation_set(original, parent, zone_name):
    """The name server of each zone is the local DNS server. Names in a delegation set have no trailing dot."""
    name_servers = route53.SubElement(route53.SubElement(parent, "DelegationSet"), "NameServers")
    for name in route53._DEFAULT_NS:
        route53.SubElement(name_servers, "NameServer").text = name.rstrip(".")


def route_53_error(original, code, message, status=400):
    """A zone of another account is denied, not missing. MiniStack finds only the zones of the caller's account."""
    zone_id = message.rsplit(" ", 1)[-1]
    if code == "NoSuchHostedZone" and any(key[-1] == zone_id for key in list(route53._zones._data)):
        return original("AccessDenied", f"User: {iam_evaluator.caller_arn()} is not authorized to access this resource", 403)
    return original(code, message, status)


def new_change(original, *args, **kwargs):
    change = original(*args, **kwargs)
    change["submitted"] = time.monotonic()
    return change


def get_change(original, change_id):
    """A change becomes INSYNC after some time, whether or not it is read. MiniStack returns PENDING at the first read only."""
    change = route53._changes.get(change_id)
    if change is None:
        return original(change_id)
    age = time.monotonic() - change["submitted"]
    change["status"] = status = "INSYNC" if age >= INSYNC_AFTER * stepfunctions._SFN_WAIT_SCALE else "PENDING"
    reply = original(change_id)
    change["status"] = status
    return reply


def apply():
    replace(route53, "_change_resource_record_sets", change_record_sets)
    replace(route53, "_new_change", new_change)
    replace(route53, "_get_change", get_change)
    replace(route53, "_normalise_name", normalise_name)
    replace(route53, "_build_delegation_set_el", delegation_set)
    replace(route53, "_error_response", route_53_error)
    route53._DEFAULT_NS = [environ["PERENNIAL_NAME_SERVER"] + "."]
