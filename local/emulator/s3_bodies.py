"""XML and JSON bodies of S3 requests: parsed once, with the members that S3 requires."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from werkzeug.wrappers import Request

from local.emulator.s3_requests import S3Error, read_target

_MALFORMED_XML = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)
_MALFORMED_POLICY = "Policies must be valid JSON and the first byte must be '{'"
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_MAX_DELETED_KEYS = 1_000
_ANY_ACTION, _ANY_OBJECT = "s3:GetObject", "arn:aws:s3:::bucket/key"
_ROOTS: Mapping[str, str] = {
    "accelerate": "AccelerateConfiguration",
    "acl": "AccessControlPolicy",
    "cors": "CORSConfiguration",
    "delete": "Delete",
    "encryption": "ServerSideEncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "legal-hold": "LegalHold",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLoggingStatus",
    "notification": "NotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "OwnershipControls",
    "publicAccessBlock": "PublicAccessBlockConfiguration",
    "replication": "ReplicationConfiguration",
    "restore": "RestoreRequest",
    "retention": "Retention",
    "select": "SelectObjectContentRequest",
    "tagging": "Tagging",
    "versioning": "VersioningConfiguration",
    "website": "WebsiteConfiguration",
}
"""The root element of the body, by the member of the query that selects the operation."""
_POSTED = ("delete", "restore", "select")
_OPTIONAL = ("acl",)


def make_malformed_xml_error() -> S3Error:
    return S3Error("MalformedXML", _MALFORMED_XML)


class _Builder(TreeBuilder):
    """Rejects document type declarations, which S3 does not allow, and removes namespaces."""

    def doctype(self, *_: Any) -> None:
        raise make_malformed_xml_error()

    def start(self, tag: Any, attrs: Any) -> Element:
        return super().start(_remove_namespace(tag), attrs)

    def end(self, tag: Any) -> Element:
        return super().end(_remove_namespace(tag))


def _remove_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def parse_xml(body: bytes, root: str) -> Element:
    """Return the root element, without namespaces. Raises S3Error unless the body is XML with this root element."""
    parser = XMLParser(target=_Builder())  # noqa: S314 rejects document type declarations
    try:
        parser.feed(body)
        element: Element = parser.close()
    except (ParseError, ValueError, LookupError):
        raise make_malformed_xml_error() from None
    if element.tag != root:
        raise make_malformed_xml_error()
    return element


def read_text(element: Element, name: str) -> str:
    """Return the text of a member that must exist and not be empty. Raises S3Error."""
    text = element.findtext(name)
    if not text:
        raise make_malformed_xml_error()
    return text


def check_subresource_body(request: Request) -> None:
    """Raise S3Error if the body of a request that configures a bucket or an object is not valid."""
    body = request.environ["wsgi.input"].getvalue()
    if request.method == "PUT" and "policy" in request.args:
        _check_policy(body)
    if request.method == "PUT" and body and not request.args and not read_target(request).key:
        parse_xml(body, "CreateBucketConfiguration")
    for name in _list_subresources(request):
        if name in _OPTIONAL and not body:
            continue
        element = parse_xml(body, _ROOTS[name])
        if name in _MEMBER_CHECKS:
            _MEMBER_CHECKS[name](element)


def has_subresource_body(request: Request) -> bool:
    return any(True for _ in _list_subresources(request))


def _list_subresources(request: Request) -> Iterator[str]:
    for name in _ROOTS:
        if name in request.args and request.method == ("POST" if name in _POSTED else "PUT"):
            yield name


def _check_policy(body: bytes) -> None:
    try:
        policy = json.loads(body)
    except (ValueError, RecursionError):
        raise S3Error("MalformedPolicy", _MALFORMED_POLICY) from None
    if not body.startswith(b"{") or not isinstance(policy, dict):
        raise S3Error("MalformedPolicy", _MALFORMED_POLICY)
    statements = policy.get("Statement")
    statements = statements if isinstance(statements, list) else [statements]
    for statement in statements or [None]:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict):
        raise S3Error("MalformedPolicy", "Could not parse the policy: Statement is empty!")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise S3Error("MalformedPolicy", f"Invalid effect: {statement.get('Effect')}")
    for name in ("Principal", "Action", "Resource"):
        if not (statement.get(name) or statement.get(f"Not{name}")):
            raise S3Error("MalformedPolicy", f"Missing required field {name}")
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        values = statement.get(name, [])
        values = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str) for value in values):
            raise S3Error(
                "MalformedPolicy", f"Policy has invalid {name.removeprefix('Not').lower()}"
            )
    if not isinstance(statement.get("Condition", {}), dict):
        raise S3Error("MalformedPolicy", "Policy has an invalid condition")
    _check_evaluation(statement)


def _check_evaluation(statement: dict[str, Any]) -> None:
    """Raise S3Error if moto cannot evaluate the statement: every read of the bucket would fail."""
    # Imported late: it loads moto's IAM.
    from moto.iam.access_control import IAMPolicyStatement

    try:
        IAMPolicyStatement({**statement, "Action": "*"}).is_action_permitted(
            _ANY_ACTION, _ANY_OBJECT
        )
    except Exception:
        message = "moto cannot evaluate this statement of a bucket policy."
        raise S3Error("NotImplemented", message, 501) from None


def _check_versioning(element: Element) -> None:
    if element.findtext("Status") not in ("Enabled", "Suspended"):
        message = "The Versioning element must be specified"
        raise S3Error("IllegalVersioningConfigurationException", message)


def _check_tags(element: Element) -> None:
    tag_set = element.find("TagSet")
    if tag_set is None:
        raise make_malformed_xml_error()
    keys = [read_text(tag, "Key") for tag in tag_set.iterfind("Tag")]
    if any(tag.find("Value") is None for tag in tag_set.iterfind("Tag")):
        raise make_malformed_xml_error()
    if len(set(keys)) != len(keys):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")


def _check_deleted_keys(element: Element) -> None:
    keys = [read_text(entry, "Key") for entry in element.iterfind("Object")]
    if not 0 < len(keys) <= _MAX_DELETED_KEYS:
        raise make_malformed_xml_error()


def _check_legal_hold(element: Element) -> None:
    if element.findtext("Status") not in ("ON", "OFF"):
        raise make_malformed_xml_error()


def _check_retention(element: Element) -> None:
    if len(element) == 0:
        return
    mode, until = read_text(element, "Mode"), read_text(element, "RetainUntilDate")
    if mode not in ("GOVERNANCE", "COMPLIANCE") or not _DATE.fullmatch(until):
        raise make_malformed_xml_error()


_MEMBER_CHECKS: Mapping[str, Callable[[Element], None]] = {
    "delete": _check_deleted_keys,
    "legal-hold": _check_legal_hold,
    "retention": _check_retention,
    "tagging": _check_tags,
    "versioning": _check_versioning,
}
