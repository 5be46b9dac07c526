"""Convert requests to AWS into the (caller, action, resource) of IAM's authorization."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from werkzeug.wrappers import Request

from local.emulator.clients import REGION
from local.emulator.functions import ACCOUNT
from twofold.settings import PARTITION_KEY

DYNAMODB = "DynamoDB_20120810."
STATES = "AWSStepFunctions."
PUT_EVENTS = "AWSEvents.PutEvents"
_TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_EQUALITY = re.compile(r"(#?\w+) = (:\w+)")
_INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class Call(NamedTuple):
    """An authorization request: `caller` names a function or state machine, `partitions` are leading keys of the table."""

    caller: str
    action: str
    resource: str
    partitions: tuple[str, ...] = ()


def list_iam_calls(caller: str, request: Request, body: bytes) -> Iterator[Call]:
    """Yield the calls that IAM authorizes for a request; `body` may be empty for requests with all data in the URL."""
    target = request.headers.get("X-Amz-Target", "")
    if target.startswith(DYNAMODB):
        for action, table, partitions in _parse_dynamodb_request(
            target.removeprefix(DYNAMODB), json.loads(body)
        ):
            arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
            yield Call(caller, f"dynamodb:{action}", arn, partitions)
    elif target.startswith(STATES):
        parameters = json.loads(body)
        arn = parameters.get("stateMachineArn") or parameters.get("executionArn") or "*"
        yield Call(caller, f"states:{target.removeprefix(STATES)}", arn)
    elif target == PUT_EVENTS:
        yield Call(
            caller, "events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
        )
    elif invocation := _INVOCATION.fullmatch(request.path):
        name = unquote(invocation["name"]).rpartition(":")[2]
        # State machines of the emulator invoke functions; deployed state machines invoke versions.
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:1"
        yield Call(caller, "lambda:InvokeFunction", arn)
    elif "/s3/aws4_request" in request.headers.get("Authorization", ""):
        for action, path in _parse_s3_request(request, body):
            yield Call(caller, f"s3:{action}", f"arn:aws:s3:::{path}")
    else:
        yield Call(caller, f"unknown:{request.method} {target}", request.path)


def _parse_dynamodb_request(
    operation: str, body: dict[str, Any]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (action, table, leading keys): one per write of a transaction, one per table of a batch."""
    match body:
        case {"TransactItems": list(items)}:
            for item in items:
                ((member, write),) = item.items()
                yield _TRANSACTION_ACTIONS[member], write["TableName"], _read_partition_keys(write)
        case {"RequestItems": dict(tables)}:
            for table, keys_and_attributes in tables.items():
                keys = {_get_partition_key(key) for key in keys_and_attributes["Keys"]}
                yield operation, table, tuple(sorted(keys))
        case {"IndexName": str(index)}:
            # An index is a separate resource with another leading key.
            yield operation, f"{body['TableName']}/index/{index}", ()
        case _:
            yield operation, str(body.get("TableName", "*")), _read_partition_keys(body)


def _read_partition_keys(request: dict[str, Any]) -> tuple[str, ...]:
    """Return the leading key of a request for an item or of a query; empty for a scan."""
    match request:
        case {"Key": dict(key)} | {"Item": dict(key)}:
            return (_get_partition_key(key),)
        case {"KeyConditionExpression": str(condition)}:
            equal = dict(_EQUALITY.findall(condition))
            names: dict[str, str] = request.get("ExpressionAttributeNames", {})
            (value,) = (v for n, v in equal.items() if names.get(n, n) == PARTITION_KEY)
            return (request["ExpressionAttributeValues"][value]["S"],)
    return ()


def _get_partition_key(key: dict[str, Any]) -> str:
    text: str = key[PARTITION_KEY]["S"]
    return text


def _parse_s3_request(request: Request, body: bytes) -> Iterator[tuple[str, str]]:
    """Yield (action, bucket/key)."""
    path = unquote(request.path).lstrip("/")
    version = "Version" if "versionId" in request.args else ""
    if "/" not in path or (path.endswith("/") and path.count("/") == 1):
        yield from _parse_bucket_request(request, body, path.rstrip("/"))
    elif request.method in ("GET", "HEAD"):
        yield (
            ("ListMultipartUploadParts" if "uploadId" in request.args else f"GetObject{version}"),
            path,
        )
    elif request.method == "DELETE":
        yield (
            ("AbortMultipartUpload" if "uploadId" in request.args else f"DeleteObject{version}"),
            path,
        )
    else:
        yield "PutObject", path
        source = request.headers.get("x-amz-copy-source")
        if source:
            source_path, _, version_id = unquote(source).lstrip("/").partition("?versionId=")
            yield f"GetObject{'Version' if version_id else ''}", source_path


def _parse_bucket_request(request: Request, body: bytes, bucket: str) -> Iterator[tuple[str, str]]:
    if request.method == "POST" and "delete" in request.args:
        for key in re.findall(r"<Key>(.*?)</Key>", body.decode()):
            yield "DeleteObject", f"{bucket}/{key}"
    else:
        yield (
            ("ListBucket" if request.method in ("GET", "HEAD") else f"{request.method}Bucket"),
            bucket,
        )
