"""What the stack answers in moto's place is what plain moto answers: status, headers and body of the same request."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stack import Stack

MIB = 1 << 20
BUCKET = "pond"
BODY = bytes(range(256)) * (6 * MIB // 256) + b"end"
_NOT_COMPARED = {
    *("date", "server", "x-amzn-requestid", "x-amz-request-id", "connection", "x-amz-crc32"),
    # The stack lets no web page read an answer.
    *("access-control-allow-origin", "vary"),
}
_OWN = re.compile(
    rb"(?<=<UploadId>)[^<]*|(?<=<RequestId>)[^<]*|(?<=LastModified>)[^<]*|(?<=<HostId>)[^<]*"
)

Outcome = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Pair:
    """The same client of plain moto and of the stack. `ask` gives the answers of both."""

    plain: Any
    stack: Any

    def ask(self, operation: str, **request: Any) -> tuple[Outcome, Outcome]:
        plain, stack = (_outcome(one, operation, request) for one in (self.plain, self.stack))
        return plain, stack

    def same(self, operation: str, **request: Any) -> Outcome:
        plain, stack = self.ask(operation, **request)
        assert stack == plain
        return plain


def _outcome(client: Any, operation: str, request: dict[str, Any]) -> Outcome:
    """Of the answer as it came, before boto3 reads it."""
    http: list[Any] = []

    def keep(request: Any, **_: Any) -> Any:
        http.append(client._endpoint.http_session.send(request))
        return http[-1]

    client.meta.events.register("before-send.*", keep)
    try:
        answer = getattr(client, operation)(**request)
        body = answer["Body"].read() if operation == "get_object" else http[-1].content
    except ClientError:
        body = http[-1].content
    finally:
        client.meta.events.unregister("before-send.*", keep)
    headers = {name.lower(): value for name, value in http[-1].headers.items()}
    told = {name: value for name, value in headers.items() if name not in _NOT_COMPARED}
    if "last-modified" in told:
        told["last-modified"] = "then"
    return http[-1].status_code, told, _OWN.sub(b"", body)


@pytest.fixture(scope="module")
def plain_moto() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.local.plain_moto"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.communicate()


Clients = Callable[[str], Pair]


@pytest.fixture(scope="module")
def clients(plain_moto: str, stack: Stack) -> Clients:
    def make(service: str) -> Pair:
        once = Config(
            retries={"total_max_attempts": 1}, request_checksum_calculation="when_required"
        )
        client: Any = boto3.client
        plain, ours = (
            client(
                service,
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="any",
                aws_secret_access_key="any",
                config=once,
            )
            for endpoint in (plain_moto, stack.endpoint)
        )
        return Pair(plain, ours)

    return make


@pytest.fixture(scope="module")
def s3(clients: Clients) -> Pair:
    pair = clients("s3")
    pair.same("create_bucket", Bucket=BUCKET)
    return pair


@pytest.fixture(scope="module")
def filled(s3: Pair) -> Pair:
    s3.same("put_object", Bucket=BUCKET, Key="a b/ü", Body=BODY, Metadata={"of": "birds"})
    s3.same("put_object", Bucket=BUCKET, Key="small", Body=b"0123456789")
    s3.same("put_object", Bucket=BUCKET, Key="cold", Body=b"0123456789", StorageClass="GLACIER")
    s3.same(
        "put_object", Bucket=BUCKET, Key="summed", Body=b"0123456789", ChecksumAlgorithm="SHA256"
    )
    return s3


@pytest.mark.parametrize("key", ["a b/ü", "small", "cold", "summed", "not there"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Range": "bytes=0-0"},
        {"Range": "bytes=3-5"},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=2-999999999"},
        {"Range": "bytes=-3"},
        {"Range": "bytes=7-"},
        {"Range": "bytes=9-3"},
        {"Range": "bytes=0-3", "IfMatch": '"another"'},
        {"Range": "bytes=0-3", "IfNoneMatch": "*"},
        {"Range": "bytes=0-3", "ResponseContentType": "text/plain"},
        {"Range": "bytes=0-9", "ChecksumMode": "ENABLED"},
        {"Range": "bytes=0-3", "VersionId": "null"},
    ],
    ids=str,
)
def test_objects_and_ranges_are_got_as_from_moto(
    filled: Pair, key: str, more: dict[str, str]
) -> None:
    status, _, body = filled.same("get_object", Bucket=BUCKET, Key=key, **more)
    if more.get("Range") == "bytes=3-5" and key == "a b/ü":
        assert (status, body) == (206, BODY[3:6])


def test_a_range_beyond_the_object_is_refused_as_by_moto(filled: Pair) -> None:
    status, *_ = filled.same("get_object", Bucket=BUCKET, Key="small", Range="bytes=99-100")
    assert status == 416


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_versions_are_got_as_from_moto(s3: Pair, operation: str) -> None:
    bucket = f"versions-{uuid4().hex[:8]}"
    s3.same("create_bucket", Bucket=bucket)
    s3.same("put_object", Bucket=bucket, Key="one", Body=b"first text")
    enabled = {"Status": "Enabled"}
    s3.same("put_bucket_versioning", Bucket=bucket, VersioningConfiguration=enabled)
    old = s3.same(operation, Bucket=bucket, Key="one", VersionId="null")
    assert old[0] == 200
    if operation == "get_object":
        status, _, body = s3.same(
            operation, Bucket=bucket, Key="one", VersionId="null", Range="bytes=0-4"
        )
        assert (status, body) == (206, b"first")


def _upload(pair: Pair, key: str, sizes: list[int], **begun: Any) -> list[tuple[Outcome, Outcome]]:
    """Puts BODY in parts of these sizes; the answers of both to each request that a client may check."""
    answers = []
    ids = [
        client.create_multipart_upload(Bucket=BUCKET, Key=key, **begun)["UploadId"]
        for client in (pair.plain, pair.stack)
    ]
    parts, start = [], 0
    for number, size in enumerate(sizes, 1):
        body, start = BODY[start : start + size], start + size
        request = {"Bucket": BUCKET, "Key": key, "PartNumber": number, "Body": body}
        both = [
            _outcome(client, "upload_part", {**request, "UploadId": upload})
            for client, upload in zip((pair.plain, pair.stack), ids, strict=True)
        ]
        answers.append((both[0], both[1]))
        parts.append({"PartNumber": number, "ETag": both[0][1]["etag"]})
    listed = {"Bucket": BUCKET, "Key": key, "MultipartUpload": {"Parts": parts}}
    both = [
        _outcome(client, "complete_multipart_upload", {**listed, "UploadId": upload})
        for client, upload in zip((pair.plain, pair.stack), ids, strict=True)
    ]
    return [*answers, (both[0], both[1])]


@pytest.mark.parametrize(
    "begun",
    [
        {},
        {"ChecksumAlgorithm": "CRC32"},
        {"ChecksumAlgorithm": "SHA256"},
        {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"},
        {"Metadata": {"of": "birds"}, "ContentType": "text/plain"},
    ],
    ids=str,
)
def test_an_upload_in_parts_has_the_tags_and_checksums_of_moto(
    s3: Pair, begun: dict[str, Any]
) -> None:
    for plain, stack in _upload(s3, "parts", [5 * MIB, MIB + 3], **begun):
        assert stack == plain
        assert plain[0] == 200
    for request in ({}, {"Range": "bytes=5242870-5242890"}, {"ChecksumMode": "ENABLED"}):
        status, _, body = s3.same("get_object", Bucket=BUCKET, Key="parts", **request)
        assert body == (BODY[5242870:5242891] if status == 206 else BODY)
    s3.same("head_object", Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")


@pytest.mark.parametrize("sizes", [[MIB, MIB], [5 * MIB], [10, 5 * MIB]], ids=str)
def test_an_upload_is_complete_or_refused_as_by_moto(s3: Pair, sizes: list[int]) -> None:
    for plain, stack in _upload(s3, "any parts", sizes):
        assert stack == plain


TABLE = "pairs"


def _item(key: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": "one"}, **more}


@pytest.fixture(scope="module")
def dynamodb(clients: Clients) -> Pair:
    pair = clients("dynamodb")
    for client in (pair.plain, pair.stack):
        client.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    return pair


_NEW = "attribute_not_exists(pk)"
_OLD = "attribute_exists(pk)"


def _put(key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": _item(key), **more}}


def _update(key: str, expression: str, **more: Any) -> dict[str, Any]:
    named = {"ExpressionAttributeNames": {"#n": "N"}, "UpdateExpression": expression}
    return {"Update": {"TableName": TABLE, "Key": _item(key), **named, **more}}


def _delete(key: str, **more: Any) -> dict[str, Any]:
    return {"Delete": {"TableName": TABLE, "Key": _item(key), **more}}


def _check(key: str, condition: str) -> dict[str, Any]:
    return {
        "ConditionCheck": {
            "TableName": TABLE,
            "Key": _item(key),
            "ConditionExpression": condition,
        }
    }


ONE = {":one": {"N": "1"}}
TRANSACTIONS: dict[str, list[dict[str, Any]]] = {
    "puts": [_put("a"), _put("b")],
    "all kinds": [
        _put("c"),
        _update("kept", "SET #n = :one", ExpressionAttributeValues=ONE),
        _delete("gone"),
        _check("kept", _OLD),
    ],
    "a condition fails": [_put("d"), _put("kept", ConditionExpression=_NEW)],
    "the old item is asked for": [
        _put(
            "kept",
            ConditionExpression=_NEW,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    ],
    "a check fails": [_delete("kept"), _check("nowhere", _OLD)],
    "twice the same item": [_put("e"), _delete("e")],
    "another table": [{"Put": {"TableName": "nowhere", "Item": _item("a")}}],
    "a key that does not fit": [{"Put": {"TableName": TABLE, "Item": {"pk": {"S": "a"}}}}],
    "a value of the wrong type": [_update("text", "ADD #n :one", ExpressionAttributeValues=ONE)],
    "an expression that is none": [_update("kept", "SET #n :one", ExpressionAttributeValues=ONE)],
    "an empty set of changes": [_update("kept", "REMOVE #n")],
}


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_a_transaction_ends_as_with_moto(dynamodb: Pair, name: str) -> None:
    for key, more in (("kept", {}), ("gone", {}), ("text", {"N": {"S": "no number"}})):
        dynamodb.same("put_item", TableName=TABLE, Item=_item(key, **more))
    dynamodb.same("transact_write_items", TransactItems=TRANSACTIONS[name])
    for key in ("a", "b", "c", "d", "e", "kept", "gone", "text"):
        dynamodb.same("get_item", TableName=TABLE, Key=_item(key), ConsistentRead=True)
        dynamodb.same("delete_item", TableName=TABLE, Key=_item(key))
