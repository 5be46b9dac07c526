"""What IAM would be asked for each request to AWS: who, which action, on which resource."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from werkzeug.wrappers import Request

from local.clients import REGION
from local.functions import ACCOUNT
from twofold.settings import PARTITION_KEY

DYNAMODB = "DynamoDB_20120810."
STATES = "AWSStepFunctions."
PUT_EVENTS = "AWSEvents.PutEvents"
_KINDS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_EQUAL = re.compile(r"(#?\w+) = (:\w+)")
_INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class Call(NamedTuple):
    """`caller` is the name of a function or of a state machine; `partitions` are the leading keys of a request to the table."""

    caller: str
    action: str
    resource: str
    partitions: tuple[str, ...] = ()


def asked(caller: str, request: Request, body: bytes) -> Iterator[Call]:
    """`body` is that of the request; it may be left out where only the address matters, as in most of S3."""
    target = request.headers.get("X-Amz-Target", "")
    if target.startswith(DYNAMODB):
        for action, table, partitions in _of_dynamodb(
            target.removeprefix(DYNAMODB), json.loads(body)
        ):
            arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
            yield Call(caller, f"dynamodb:{action}", arn, partitions)
    elif target.startswith(STATES):
        named = json.loads(body)
        arn = named.get("stateMachineArn") or named.get("executionArn") or "*"
        yield Call(caller, f"states:{target.removeprefix(STATES)}", arn)
    elif target == PUT_EVENTS:
        yield Call(
            caller, "events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
        )
    elif invoked := _INVOCATION.fullmatch(request.path):
        name = unquote(invoked["name"]).rpartition(":")[2]
        # Here a state machine names its functions; the deployed ones name versions of them.
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:1"
        yield Call(caller, "lambda:InvokeFunction", arn)
    elif "/s3/aws4_request" in request.headers.get("Authorization", ""):
        for action, path in _of_s3(request, body):
            yield Call(caller, f"s3:{action}", f"arn:aws:s3:::{path}")
    else:
        yield Call(caller, f"unknown:{request.method} {target}", request.path)


def _of_dynamodb(
    operation: str, body: dict[str, Any]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(action, table, leading keys). A transaction is asked for as its parts, a batch once for each table."""
    match body:
        case {"TransactItems": list(items)}:
            for item in items:
                ((kind, write),) = item.items()
                yield _KINDS[kind], write["TableName"], _partition(write)
        case {"RequestItems": dict(tables)}:
            for table, asked_for in tables.items():
                keys = {_text(key) for key in asked_for["Keys"]}
                yield operation, table, tuple(sorted(keys))
        case {"IndexName": str(index)}:
            # The index is a resource of its own, and its leading key another attribute.
            yield operation, f"{body['TableName']}/index/{index}", ()
        case _:
            yield operation, str(body.get("TableName", "*")), _partition(body)


def _partition(request: dict[str, Any]) -> tuple[str, ...]:
    """The one leading key of a request for an item or of a query; none of a scan."""
    match request:
        case {"Key": dict(key)} | {"Item": dict(key)}:
            return (_text(key),)
        case {"KeyConditionExpression": str(condition)}:
            equal = dict(_EQUAL.findall(condition))
            names: dict[str, str] = request.get("ExpressionAttributeNames", {})
            (value,) = (v for n, v in equal.items() if names.get(n, n) == PARTITION_KEY)
            return (request["ExpressionAttributeValues"][value]["S"],)
    return ()


def _text(key: dict[str, Any]) -> str:
    text: str = key[PARTITION_KEY]["S"]
    return text


def _of_s3(request: Request, body: bytes) -> Iterator[tuple[str, str]]:
    """(action, bucket/key)"""
    path = unquote(request.path).lstrip("/")
    version = "Version" if "versionId" in request.args else ""
    if "/" not in path or (path.endswith("/") and path.count("/") == 1):
        yield from _of_bucket(request, body, path.rstrip("/"))
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
            place, _, of_version = unquote(source).lstrip("/").partition("?versionId=")
            yield f"GetObject{'Version' if of_version else ''}", place


def _of_bucket(request: Request, body: bytes, bucket: str) -> Iterator[tuple[str, str]]:
    if request.method == "POST" and "delete" in request.args:
        for key in re.findall(r"<Key>(.*?)</Key>", body.decode()):
            yield "DeleteObject", f"{bucket}/{key}"
    else:
        yield (
            ("ListBucket" if request.method in ("GET", "HEAD") else f"{request.method}Bucket"),
            bucket,
        )
