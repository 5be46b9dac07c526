"""The emulator's replacements of moto's code return the same status, headers and body as plain moto."""

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

from local.emulator.server import Emulator

MIB = 1 << 20
BUCKET = "pond"
BODY = bytes(range(256)) * (6 * MIB // 256) + b"end"
_IGNORED_HEADERS = {
    *("date", "server", "x-amzn-requestid", "x-amz-request-id", "connection", "x-amz-crc32"),
    # The emulator does not allow web pages to read responses.
    *("access-control-allow-origin", "vary"),
}
_VARYING_TEXT = re.compile(
    rb"(?<=<UploadId>)[^<]*|(?<=<RequestId>)[^<]*|(?<=LastModified>)[^<]*|(?<=<HostId>)[^<]*"
)

RecordedResponse = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class ClientPair:
    """Two boto3 clients of one service: of plain moto and of the emulator."""

    plain: Any
    emulator: Any

    def call(self, operation: str, **request: Any) -> tuple[RecordedResponse, RecordedResponse]:
        plain, emulator = (
            _record_response(client, operation, request) for client in (self.plain, self.emulator)
        )
        return plain, emulator

    def call_and_compare(self, operation: str, **request: Any) -> RecordedResponse:
        plain, emulator = self.call(operation, **request)
        assert emulator == plain
        return plain


def _record_response(client: Any, operation: str, request: dict[str, Any]) -> RecordedResponse:
    """Return status, headers and body of the HTTP response, without the parts that differ between any two responses."""
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
    compared = {name: value for name, value in headers.items() if name not in _IGNORED_HEADERS}
    if "last-modified" in compared:
        compared["last-modified"] = "then"
    return http[-1].status_code, compared, _VARYING_TEXT.sub(b"", body)


@pytest.fixture(scope="module")
def plain_moto() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.local.emulator.plain_moto"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.communicate()


Clients = Callable[[str], ClientPair]


@pytest.fixture(scope="module")
def clients(plain_moto: str, emulator: Emulator) -> Clients:
    def create_pair(service: str) -> ClientPair:
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
            for endpoint in (plain_moto, emulator.endpoint)
        )
        return ClientPair(plain, ours)

    return create_pair


@pytest.fixture(scope="module")
def s3(clients: Clients) -> ClientPair:
    pair = clients("s3")
    pair.call_and_compare("create_bucket", Bucket=BUCKET)
    return pair


@pytest.fixture(scope="module")
def stored_objects(s3: ClientPair) -> ClientPair:
    s3.call_and_compare(
        "put_object", Bucket=BUCKET, Key="a b/ü", Body=BODY, Metadata={"of": "birds"}
    )
    s3.call_and_compare("put_object", Bucket=BUCKET, Key="small", Body=b"0123456789")
    s3.call_and_compare(
        "put_object", Bucket=BUCKET, Key="cold", Body=b"0123456789", StorageClass="GLACIER"
    )
    s3.call_and_compare(
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
        {"Range": "bytes=0-3", "ResponseContentType": "text/plain"},
        {"Range": "bytes=0-9", "ChecksumMode": "ENABLED"},
        {"Range": "bytes=0-3", "VersionId": "null"},
    ],
    ids=str,
)
def test_objects_and_ranges_are_read_as_from_moto(
    stored_objects: ClientPair, key: str, more: dict[str, str]
) -> None:
    status, _, body = stored_objects.call_and_compare("get_object", Bucket=BUCKET, Key=key, **more)
    if more.get("Range") == "bytes=3-5" and key == "a b/ü":
        assert (status, body) == (206, BODY[3:6])


def test_a_range_beyond_the_object_is_rejected_as_by_moto(stored_objects: ClientPair) -> None:
    status, *_ = stored_objects.call_and_compare(
        "get_object", Bucket=BUCKET, Key="small", Range="bytes=99-100"
    )
    assert status == 416


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_versions_are_read_as_from_moto(s3: ClientPair, operation: str) -> None:
    bucket = f"versions-{uuid4().hex[:8]}"
    s3.call_and_compare("create_bucket", Bucket=bucket)
    s3.call_and_compare("put_object", Bucket=bucket, Key="one", Body=b"first text")
    enabled = {"Status": "Enabled"}
    s3.call_and_compare("put_bucket_versioning", Bucket=bucket, VersioningConfiguration=enabled)
    ranges = ({}, {"Range": "bytes=0-4"}) if operation == "get_object" else ({},)
    for options in ranges:
        plain, emulator = s3.call(operation, Bucket=bucket, Key="one", VersionId="null", **options)
        # S3 names the null version, and moto does not.
        assert emulator[1].pop("x-amz-version-id") == "null"
        assert emulator == plain
        assert plain[0] == (206 if options else 200)
        assert plain[2] == (b"first text"[: 5 if options else None] if len(ranges) > 1 else b"")


def _upload_parts(
    pair: ClientPair, key: str, sizes: list[int], **options: Any
) -> list[tuple[RecordedResponse, RecordedResponse]]:
    """Upload BODY in parts of these sizes to both. Return the pairs of responses to UploadPart and CompleteMultipartUpload."""
    answers = []
    ids = [
        client.create_multipart_upload(Bucket=BUCKET, Key=key, **options)["UploadId"]
        for client in (pair.plain, pair.emulator)
    ]
    parts, start = [], 0
    for number, size in enumerate(sizes, 1):
        body, start = BODY[start : start + size], start + size
        request = {"Bucket": BUCKET, "Key": key, "PartNumber": number, "Body": body}
        both = [
            _record_response(client, "upload_part", {**request, "UploadId": upload})
            for client, upload in zip((pair.plain, pair.emulator), ids, strict=True)
        ]
        answers.append((both[0], both[1]))
        parts.append({"PartNumber": number, "ETag": both[0][1]["etag"]})
    listed = {"Bucket": BUCKET, "Key": key, "MultipartUpload": {"Parts": parts}}
    both = [
        _record_response(client, "complete_multipart_upload", {**listed, "UploadId": upload})
        for client, upload in zip((pair.plain, pair.emulator), ids, strict=True)
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
def test_a_multipart_upload_has_the_etags_and_checksums_of_moto(
    s3: ClientPair, begun: dict[str, Any]
) -> None:
    for plain, emulator in _upload_parts(s3, "parts", [5 * MIB, MIB + 3], **begun):
        assert emulator == plain
        assert plain[0] == 200
    for request in ({}, {"Range": "bytes=5242870-5242890"}, {"ChecksumMode": "ENABLED"}):
        status, _, body = s3.call_and_compare("get_object", Bucket=BUCKET, Key="parts", **request)
        assert body == (BODY[5242870:5242891] if status == 206 else BODY)
    s3.call_and_compare("head_object", Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")


@pytest.mark.parametrize("sizes", [[MIB, MIB], [5 * MIB], [10, 5 * MIB]], ids=str)
def test_an_upload_is_completed_or_rejected_as_by_moto(s3: ClientPair, sizes: list[int]) -> None:
    for plain, emulator in _upload_parts(s3, "any parts", sizes):
        assert emulator == plain


TABLE = "pairs"


def _make_item(key: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": "one"}, **more}


@pytest.fixture(scope="module")
def dynamodb(clients: Clients) -> ClientPair:
    pair = clients("dynamodb")
    for client in (pair.plain, pair.emulator):
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
    return {"Put": {"TableName": TABLE, "Item": _make_item(key), **more}}


def _update(key: str, expression: str, **more: Any) -> dict[str, Any]:
    named = {"ExpressionAttributeNames": {"#n": "N"}, "UpdateExpression": expression}
    return {"Update": {"TableName": TABLE, "Key": _make_item(key), **named, **more}}


def _delete(key: str, **more: Any) -> dict[str, Any]:
    return {"Delete": {"TableName": TABLE, "Key": _make_item(key), **more}}


def _check(key: str, condition: str) -> dict[str, Any]:
    return {
        "ConditionCheck": {
            "TableName": TABLE,
            "Key": _make_item(key),
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
    "another table": [{"Put": {"TableName": "nowhere", "Item": _make_item("a")}}],
    "a key that does not fit": [{"Put": {"TableName": TABLE, "Item": {"pk": {"S": "a"}}}}],
    "a value of the wrong type": [_update("text", "ADD #n :one", ExpressionAttributeValues=ONE)],
    "an invalid expression": [_update("kept", "SET #n :one", ExpressionAttributeValues=ONE)],
    "an empty set of changes": [_update("kept", "REMOVE #n")],
}


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_a_transaction_has_the_same_result_as_with_moto(dynamodb: ClientPair, name: str) -> None:
    for key, more in (("kept", {}), ("gone", {}), ("text", {"N": {"S": "no number"}})):
        dynamodb.call_and_compare("put_item", TableName=TABLE, Item=_make_item(key, **more))
    dynamodb.call_and_compare("transact_write_items", TransactItems=TRANSACTIONS[name])
    for key in ("a", "b", "c", "d", "e", "kept", "gone", "text"):
        dynamodb.call_and_compare(
            "get_item", TableName=TABLE, Key=_make_item(key), ConsistentRead=True
        )
        dynamodb.call_and_compare("delete_item", TableName=TABLE, Key=_make_item(key))
