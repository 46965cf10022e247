"""Rules for ACM (User Guide, "Prerequisites for importing ACM certificates", "Reimport a certificate"; API reference)."""

import datetime
import json
import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ministack.core.responses import error_response_json, json_response
from ministack.services import acm, tagging

from .certificates import dns_names, extended_key_usages, key_algorithm, key_usages, spki
from .replacing import replace


LISTED_BY_DEFAULT = ["RSA_1024", "RSA_2048"]


def leaf_of(stored):
    """Returns the parsed certificate of an import. MiniStack's other certificates are placeholders that cannot be parsed."""
    if stored.get("Type") != "IMPORTED":
        return None
    return x509.load_pem_x509_certificate(stored["_pem_body"].encode())


def reimport_refusal(before, leaf):
    """Returns why a re-import over this certificate is rejected, or None. ACM uses one error for all reasons and does not
    document the messages."""
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
    """Returns the message with which ACM rejects an import, or None."""
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
        except Exception:  # All causes have the same meaning here.
            return "Could not validate the certificate with the certificate chain."
    return reimport_refusal(leaf_of(stored), leaf) if stored else None


def import_certificate(original, data):
    """An import over an ARN that does not exist is rejected. MiniStack would create the certificate."""
    arn = data.get("CertificateArn")
    if arn and not acm._get_local_certificate(arn):
        return acm._certificate_not_found(arn)
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
    """KeyAlgorithm, usages and Serial are those of the certificate. MiniStack reports RSA_2048 for every key."""
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
    """Without Includes.keyTypes only RSA_1024 and RSA_2048 are listed. Summaries have all names, the validity and the import time.
    A page has at most MaxItems certificates."""
    wanted = (data.get("Includes") or {}).get("keyTypes") or LISTED_BY_DEFAULT
    status, _, body = original(data)
    summaries = []
    for summary in json.loads(body)["CertificateSummaryList"]:
        stored = acm._certificates[summary["CertificateArn"]]
        leaf = leaf_of(stored)
        summary["KeyAlgorithm"] = key_algorithm(leaf.public_key()) if leaf else "RSA_2048"
        summary["Type"] = stored["Type"]
        summary["SubjectAlternativeNameSummaries"] = stored["SubjectAlternativeNames"]
        if leaf:
            summary["ImportedAt"] = acm._epoch(stored["IssuedAt"])
            summary["NotBefore"] = stored["NotBefore"]
            summary["NotAfter"] = stored["NotAfter"]
        if summary["KeyAlgorithm"] in wanted:
            summaries.append(summary)
    limit = data.get("MaxItems", 1000)
    if not 1 <= limit <= 1000:
        return error_response_json("ValidationException", "MaxItems must have a value from 1 to 1000.", 400)
    start = int(data.get("NextToken", 0))
    answer = {"CertificateSummaryList": summaries[start : start + limit]}
    if start + limit < len(summaries):
        answer["NextToken"] = str(start + limit)
    return json_response(answer, status)


def certificate_tags():
    """Returns the tags for the condition key aws:ResourceTag. MiniStack does not support it for ACM certificates."""
    for arn, certificate in acm._certificates.items():
        yield arn, certificate.get("Tags", [])


def apply():
    replace(acm, "_import_certificate", import_certificate)
    replace(acm, "_cert_shape", describe_shape)
    replace(acm, "_list_certificates", list_certificates)
    tagging._RESOURCE_TAG_COLLECTORS["acm"] = certificate_tags
