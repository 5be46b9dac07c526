"""What IAM would be asked for each request to AWS: who, which action, on which resource."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from werkzeug.wrappers import Request

from local.functions import ACCOUNT, REGION

DYNAMODB = "DynamoDB_20120810."
STATES = "AWSStepFunctions."
PUT_EVENTS = "AWSEvents.PutEvents"
_KINDS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class Call(NamedTuple):
    """`caller` is the name of a function or of a state machine."""

    caller: str
    action: str
    resource: str


def asked(caller: str, request: Request, body: bytes) -> Iterator[Call]:
    """`body` is that of the request; it may be left out where only the address matters, as in most of S3."""
    target = request.headers.get("X-Amz-Target", "")
    if target.startswith(DYNAMODB):
        for action, table in _of_dynamodb(target.removeprefix(DYNAMODB), json.loads(body)):
            arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
            yield Call(caller, f"dynamodb:{action}", arn)
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


def _of_dynamodb(operation: str, body: dict[str, object]) -> Iterator[tuple[str, str]]:
    """(action, table). A transaction is asked for as its parts, a batch once for each table."""
    match body:
        case {"TransactItems": list(items)}:
            for item in items:
                ((kind, write),) = item.items()
                yield _KINDS[kind], write["TableName"]
        case {"RequestItems": dict(tables)}:
            for table in tables:
                yield operation, table
        case _:
            yield operation, str(body.get("TableName", "*"))


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
