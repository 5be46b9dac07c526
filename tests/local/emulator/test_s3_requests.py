"""Requests to S3, handled incorrectly by plain moto."""

import base64
import hashlib
import json
import logging
import socket
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from anycrc import Model
from botocore.exceptions import ClientError

from local.emulator.server import Emulator
from tests.local.emulator.s3_support import SIGNED, read_object, send_request
from tests.support.job import Job, make_two_label_lines

MIB = 1 << 20
TEXT = b'{"source-ref":"s3://pond/1.jpg"}\n'


HOSTS = [
    "{}.localhost:8000",
    "{}.s3.localhost:8000",
    "{}.s3.us-east-1.localhost",
    "{}.s3.amazonaws.com",
    "{}.s3.us-east-1.amazonaws.com",
    "{}.s3-us-west-2.amazonaws.com",
    "{}.s3.dualstack.us-east-1.amazonaws.com",
    "{}.s3-accelerate.amazonaws.com",
]


def send_line(emulator: Emulator, line: bytes, *headers: str, body: bytes = b"") -> bytes:
    """Send a request with exactly this request line, which HTTP clients would normalize. Return the response."""
    address = urllib.parse.urlsplit(emulator.endpoint)
    lines = [line + b" HTTP/1.1", *(header.encode() for header in headers)]
    head = b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""])
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + body)
        return b"".join(iter(partial(connection.recv, 65536), b""))


@pytest.mark.parametrize("host", HOSTS)
def test_a_key_may_begin_with_slashes_for_a_bucket_in_the_host_name(
    emulator: Emulator, s3: Any, bucket: str, host: str
) -> None:
    for key in ("/a", "//a", "a"):
        s3.put_object(Bucket=bucket, Key=key, Body=f"object {key}".encode())
    header = f"Host: {host.format(bucket)}"
    for key in ("/a", "//a", "a"):
        assert send_line(emulator, b"GET /" + key.encode(), header).endswith(
            f"object {key}".encode()
        )
    send_line(emulator, b"PUT //new", header, body=b"new")
    send_line(emulator, b"DELETE //a", header)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["//a", "/new", "a"]


def test_a_path_without_a_bucket_names_no_object(emulator: Emulator, bucket: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = send_line(emulator, f"{method} //{bucket}/a".encode(), "Host: 127.0.0.1")
        assert b"<Code>InvalidBucketName</Code>" in response


@pytest.mark.parametrize("key", ["\u00fc", "\u00e0", "\u5ead/\u2028", "\U0001f400"])
def test_a_key_may_be_sent_as_utf_8_without_escapes(
    emulator: Emulator, s3: Any, bucket: str, key: str
) -> None:
    """curl and wget do so."""
    line = f"PUT /{bucket}/{key}".encode()
    assert b" 200 " in send_line(emulator, line, "Host: 127.0.0.1", body=TEXT)
    assert read_object(s3, bucket, key) == TEXT
    response = send_line(emulator, f"GET /{bucket}/{key}".encode(), "Host: 127.0.0.1")
    assert response.endswith(TEXT)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", ["plain", "with.dots"])
def test_a_bucket_in_the_host_name_is_used(
    emulator: Emulator, s3: Any, host: str, name: str
) -> None:
    """The key starts with the name of another bucket."""
    bucket, other = f"backup-{name}-{uuid4().hex[:8]}", uuid4().hex[:12]
    for target, key, body in (
        (bucket, f"{other}/a b.manifest", b"the right bytes"),
        (other, "a b.manifest", b"wrong"),
    ):
        s3.create_bucket(Bucket=target)
        s3.put_object(Bucket=target, Key=key, Body=body)
    headers = {**SIGNED, "Host": host.format(bucket)}
    path = f"/{other}/a%20b.manifest"
    assert send_request(emulator, "GET", path, headers=headers).data == b"the right bytes"
    ranged = send_request(emulator, "GET", path, headers={**headers, "Range": "bytes=4-8"})
    assert (ranged.status, ranged.data) == (206, b"right")
    assert send_request(emulator, "PUT", "/new", headers=headers, body=b"new").status == 200
    assert read_object(s3, bucket, "new") == b"new"
    assert send_request(emulator, "HEAD", "/new?versionId=null", headers=headers).status == 200
    listed = send_request(emulator, "GET", "/?list-type=2", headers=headers)
    assert b"<Key>new</Key>" in listed.data
    assert send_request(emulator, "POST", "/new", headers=headers).status == 405
    assert send_request(emulator, "DELETE", "/new", headers=headers).status == 204


@pytest.mark.parametrize("host", ["localhost:8000", "s3.localhost", "s3.us-east-1.amazonaws.com"])
def test_a_bucket_in_the_path_is_used(emulator: Emulator, s3: Any, bucket: str, host: str) -> None:
    s3.put_object(Bucket=bucket, Key="one", Body=b"0123456789")
    headers = {**SIGNED, "Host": host, "Range": "bytes=2-4"}
    assert send_request(emulator, "GET", f"/{bucket}/one", headers=headers).data == b"234"


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None],
)
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "presigned"])
@pytest.mark.parametrize("body", [TEXT, b"\xff\x00&a=b", b"Action=x&Version=2009-04-15", b""])
def test_a_body_is_the_object_for_any_content_type(
    emulator: Emulator, s3: Any, bucket: str, kind: str | None, signed: bool, body: bytes
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    target = {"Bucket": bucket, "Key": "one"}
    url = s3.generate_presigned_url("put_object", target)
    if signed:
        url, headers = f"{emulator.endpoint}/{bucket}/one", {**SIGNED, **headers}
    assert urllib3.request("PUT", url, body=body, headers=headers).status == 200
    assert read_object(s3, bucket, "one") == body
    if kind:
        assert s3.head_object(**target)["ContentType"] == kind


def test_a_manifest_put_with_urllib_becomes_a_dataset(
    emulator: Emulator, job: Job, s3: Any
) -> None:
    """urllib sets the Content-Type of a form, like curl --data-binary."""
    target = {"Bucket": "sources", "Key": f"{uuid4().hex}.manifest"}
    s3.create_bucket(Bucket="sources")
    body = "".join(f"{line}\n" for line in make_two_label_lines(10)).encode()
    url = s3.generate_presigned_url("put_object", target)
    request = urllib.request.Request(url, data=body, method="PUT")  # noqa: S310 our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 200
    place = {"Bucket": target["Bucket"], "Name": target["Key"], "Version": "null"}
    arn = job.create_dataset_from("TRAIN", {"GroundTruthManifest": {"S3Object": place}})
    assert job.wait_for_dataset(arn)["DatasetStats"]["TotalEntries"] == 10


def test_a_form_can_upload_an_object(emulator: Emulator, s3: Any, bucket: str) -> None:
    fields = {"key": "one", "file": ("a.txt", TEXT)}
    assert send_request(emulator, "POST", f"/{bucket}", fields=fields, headers=SIGNED).status == 204
    assert read_object(s3, bucket, "one") == TEXT


def test_null_is_the_version_of_an_object_in_an_unversioned_bucket(s3: Any, bucket: str) -> None:
    one = {"Bucket": bucket, "Key": "one"}
    s3.put_object(**one, Body=TEXT)
    assert s3.head_object(**one, VersionId="null")["ContentLength"] == len(TEXT)
    assert s3.get_object(**one, VersionId="null", Range="bytes=0-0")["Body"].read() == TEXT[:1]
    s3.copy_object(Bucket=bucket, Key="two", CopySource={**one, "VersionId": "null"})
    assert read_object(s3, bucket, "two") == TEXT
    s3.delete_object(**one, VersionId="null")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(**one, VersionId="null")
    with pytest.raises(ClientError, match="400"):
        s3.head_object(Bucket=bucket, Key="two", VersionId="another")


def test_the_version_null_remains_after_versioning_is_enabled(s3: Any, bucket: str) -> None:
    one = {"Bucket": bucket, "Key": "one"}
    s3.put_object(**one, Body=b"old")
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.head_object(**one, VersionId="null")["ContentLength"] == 3


def assert_refused(answer: urllib3.BaseHTTPResponse, status: int, code: str) -> None:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/xml")
    assert f"<Code>{code}</Code>".encode() in answer.data


@pytest.mark.parametrize("headers", [SIGNED, {}], ids=["signed", "unsigned"])
def test_a_post_that_s3_does_not_support_gets_s3_s_error(
    emulator: Emulator, bucket: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert_refused(
            send_request(emulator, "POST", f"/{bucket}/key", headers=headers, body=b"x"),
            405,
            "MethodNotAllowed",
        )
        assert_refused(
            send_request(emulator, "PATCH", f"/{bucket}/key", headers=headers),
            405,
            "MethodNotAllowed",
        )
        assert_refused(
            send_request(emulator, "POST", f"/{bucket}", headers=headers, body=b"x"),
            412,
            "PreconditionFailed",
        )
        form = send_request(emulator, "POST", f"/{bucket}", headers=headers, fields={"file": "x"})
        assert_refused(form, 400, "InvalidArgument")
    assert not caplog.records


SUMS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "CRC32C": lambda body: Model("CRC32C").calc(body).to_bytes(4, "big"),
    "CRC64NVME": lambda body: Model("CRC64-NVME").calc(body).to_bytes(8, "big"),
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}


def make_checksum(body: bytes, ChecksumAlgorithm: str = "CRC32", **_: Any) -> dict[str, str]:
    """Return the parameter of UploadPart with the checksum of the part, in the algorithm of the upload."""
    digest = SUMS[ChecksumAlgorithm](body)
    return {f"Checksum{ChecksumAlgorithm}": base64.b64encode(digest).decode()}


def put_in_parts(s3: Any, bucket: str, bodies: list[bytes], **options: Any) -> Any:
    address = {"Bucket": bucket, "Key": "parts"}
    upload = s3.create_multipart_upload(**address, **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        request = {"PartNumber": number, "Body": body, **make_checksum(body, **options)}
        part = s3.upload_part(**address, UploadId=upload, **request)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(**address, UploadId=upload, MultipartUpload={"Parts": parts})
    return parts


@pytest.mark.parametrize("algorithm", SUMS)
@pytest.mark.parametrize("kind", [None, "COMPOSITE", "FULL_OBJECT"])
def test_a_multipart_upload_has_the_requested_checksum(
    emulator: Emulator, s3: Any, bucket: str, algorithm: str, kind: str | None
) -> None:
    bodies = [b"a" * (5 * MIB), b"b" * 3]
    begun = {"ChecksumAlgorithm": algorithm} | ({"ChecksumType": kind} if kind else {})
    impossible = "COMPOSITE" if algorithm == "CRC64NVME" else "FULL_OBJECT"
    if kind == impossible and algorithm not in ("CRC32", "CRC32C"):
        with pytest.raises(ClientError, match=f"{kind} checksum type cannot be used"):
            s3.create_multipart_upload(Bucket=bucket, Key="parts", **begun)
        return
    parts = put_in_parts(s3, bucket, bodies, **begun)
    assert [part["ETag"].strip('"') for part in parts] == [
        hashlib.md5(body, usedforsecurity=False).hexdigest() for body in bodies
    ]
    compute = SUMS[algorithm]
    whole = kind == "FULL_OBJECT" or algorithm == "CRC64NVME"
    value = compute(b"".join(bodies) if whole else b"".join(map(compute, bodies)))
    expected = base64.b64encode(value).decode() + ("" if whole else "-2")
    answer = send_request(
        emulator, "GET", f"/{bucket}/parts", headers={**SIGNED, "x-amz-checksum-mode": "ENABLED"}
    )
    assert answer.headers[f"x-amz-checksum-{algorithm.lower()}"] == expected
    assert answer.data == b"".join(bodies)


def test_an_unknown_checksum_algorithm_is_rejected(emulator: Emulator, bucket: str) -> None:
    headers = {**SIGNED, "x-amz-checksum-algorithm": "CRC7"}
    answer = send_request(emulator, "POST", f"/{bucket}/key?uploads", headers=headers)
    assert answer.status == 400
    assert b"Checksum algorithm provided is unsupported: CRC7" in answer.data


def encode_chunks(*chunks: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return framed + b"0\r\n" + trailer + b"\r\n"


STREAMED = {
    **SIGNED,
    "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "Content-Encoding": "aws-chunked",
}


def test_an_aws_chunked_body_is_decoded_and_the_trailer_is_a_checksum(
    emulator: Emulator, s3: Any, bucket: str
) -> None:
    value = base64.b64encode(SUMS["CRC64NVME"](TEXT * 2)).decode()
    trailer = f"x-amz-checksum-crc64nvme:{value}\r\n".encode()
    headers = {
        **STREAMED,
        "X-Amz-Trailer": "x-amz-checksum-crc64nvme",
        "X-Amz-Decoded-Content-Length": str(2 * len(TEXT)),
    }
    answer = send_request(
        emulator,
        "PUT",
        f"/{bucket}/one",
        headers=headers,
        body=encode_chunks(TEXT, TEXT, trailer=trailer),
    )
    assert answer.status == 200
    head = s3.head_object(Bucket=bucket, Key="one", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ContentLength"]) == (value, 2 * len(TEXT))
    assert "ContentEncoding" not in head
    assert read_object(s3, bucket, "one") == 2 * TEXT


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"zz\r\nabc\r\n0\r\n\r\n", "InvalidChunkSizeError"),
        (b"-3\r\nabc\r\n0\r\n\r\n", "InvalidChunkSizeError"),
        (b"2\r\nabc\r\n0\r\n\r\n", "InvalidChunkSizeError"),
        (b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n", "InvalidChunkSizeError"),
        (b"3\r\nabc\r\n", "IncompleteBody"),
        (b"3", "IncompleteBody"),
        (b"", "IncompleteBody"),
        (b"4\r\nabcd\r\n0\r\n\r\n", "IncompleteBody"),
        (b"3\r\nabc\r\n0\r\n:::\r\n\r\n", "MalformedTrailerError"),
        (b"3\r\nabc\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"3\r\nabc\r\n0\r\nx-amz-checksum-sha1:AAAA\r\n\r\n", "MalformedTrailerError"),
    ],
)
@pytest.mark.parametrize("kind", ["UNSIGNED-PAYLOAD-TRAILER", "AWS4-HMAC-SHA256-PAYLOAD"])
def test_an_invalid_aws_chunked_body_is_rejected(
    emulator: Emulator, bucket: str, body: bytes, code: str, kind: str
) -> None:
    headers = {
        **STREAMED,
        "X-Amz-Content-Sha256": f"STREAMING-{kind}",
        "X-Amz-Decoded-Content-Length": "3",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    assert_refused(
        send_request(emulator, "PUT", f"/{bucket}/one", headers=headers, body=body), 400, code
    )
    assert send_request(emulator, "GET", f"/{bucket}/one", headers=SIGNED).status == 404


def test_errors_of_json_services_are_json(emulator: Emulator) -> None:
    scope = SIGNED["Authorization"].replace("/s3/", "/dynamodb/")
    headers = {"Authorization": scope, "X-Amz-Target": "DynamoDB_20120810.Nothing"}
    answer = send_request(emulator, "POST", "/", headers=headers, body=b"{}")
    assert (answer.status, json.loads(answer.data)["__type"]) == (400, "UnknownOperationException")


def _encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


BODY = b"0123456789"
MISMATCHES = [
    pytest.param(
        {"Content-MD5": _encode(hashlib.md5(b"x", usedforsecurity=False).digest())},
        "BadDigest",
        id="MD5",
    ),
    pytest.param({"Content-MD5": "junk"}, "InvalidDigest", id="no MD5"),
    pytest.param({"Content-MD5": _encode(b"short")}, "InvalidDigest", id="short MD5"),
    pytest.param({"x-amz-checksum-crc32": _encode(bytes(4))}, "BadDigest", id="CRC32"),
    pytest.param({"x-amz-checksum-crc64nvme": _encode(bytes(8))}, "BadDigest", id="CRC64NVME"),
    pytest.param({"x-amz-checksum-sha256": _encode(bytes(32))}, "BadDigest", id="SHA256"),
    pytest.param({"x-amz-checksum-sha256": _encode(b"x")}, "InvalidRequest", id="no SHA256"),
    pytest.param({"x-amz-checksum-none": _encode(b"x")}, "InvalidRequest", id="no algorithm"),
    pytest.param({"x-amz-content-sha256": "0" * 64}, "XAmzContentSHA256Mismatch", id="payload"),
]


@pytest.mark.parametrize(("headers", "code"), MISMATCHES)
def test_a_body_that_contradicts_the_headers_is_rejected(
    emulator: Emulator, s3: Any, bucket: str, headers: dict[str, str], code: str
) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    for path in (f"/{bucket}/key", f"/{bucket}/parts?partNumber=1&uploadId={upload}"):
        answer = send_request(emulator, "PUT", path, body=BODY, headers=SIGNED | headers)
        assert (answer.status, f"<Code>{code}</Code>" in answer.data.decode()) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="parts", UploadId=upload)


def test_a_body_that_matches_the_headers_is_stored(
    emulator: Emulator, s3: Any, bucket: str
) -> None:
    headers = {
        "Content-MD5": _encode(hashlib.md5(BODY, usedforsecurity=False).digest()),
        "x-amz-checksum-crc32": _encode(zlib.crc32(BODY).to_bytes(4, "big")),
        "x-amz-content-sha256": hashlib.sha256(BODY).hexdigest(),
    }
    assert (
        send_request(emulator, "PUT", f"/{bucket}/key", body=BODY, headers=SIGNED | headers).status
        == 200
    )
    assert read_object(s3, bucket, "key") == BODY


def test_a_key_has_at_most_1_024_bytes(emulator: Emulator, bucket: str) -> None:
    for key, status in (("é" * 512, 200), ("é" * 512 + "a", 400)):
        path = f"/{bucket}/{urllib.parse.quote(key)}"
        answer = send_request(emulator, "PUT", path, body=BODY, headers=SIGNED)
        assert (answer.status, b"KeyTooLongError" in answer.data) == (status, status == 400)


TAG = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
PAST, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("ranged", [{}, {"Range": "bytes=2-3"}], ids=["whole", "range"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"If-Match": f'"{TAG}"'}, 200),
        ({"If-Match": TAG}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f'"other", "{TAG}"'}, 200),
        ({"If-Match": f'"{TAG}"', "If-Unmodified-Since": PAST}, 200),
        ({"If-Match": '"other"', "If-Unmodified-Since": FUTURE}, 412),
        ({"If-Unmodified-Since": PAST}, 412),
        ({"If-Unmodified-Since": FUTURE}, 200),
        ({"If-Unmodified-Since": "yesterday"}, 200),
        ({"If-None-Match": TAG}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": f'"{TAG}"', "If-Modified-Since": PAST}, 304),
        ({"If-None-Match": '"other"', "If-Modified-Since": FUTURE}, 200),
        ({"If-Modified-Since": PAST}, 200),
        ({"If-Modified-Since": FUTURE}, 304),
        ({"If-Match": TAG, "If-None-Match": TAG}, 304),
    ],
    ids=str,
)
def test_conditions_count_in_the_order_that_http_gives_them(
    emulator: Emulator,
    s3: Any,
    bucket: str,
    method: str,
    conditions: dict[str, str],
    status: int,
    ranged: dict[str, str],
) -> None:
    s3.put_object(Bucket=bucket, Key="one", Body=BODY)
    headers = {**SIGNED, **conditions, **ranged}
    answer = send_request(emulator, method, f"/{bucket}/one", headers=headers)
    assert answer.status == (206 if ranged and status == 200 else status)
    if status == 412 and method == "GET":
        assert b"<Code>PreconditionFailed</Code>" in answer.data
    if status == 304:
        assert (answer.headers["ETag"], answer.data) == (f'"{TAG}"', b"")
    if status == 200 and method == "GET":
        assert answer.data == (BODY[2:4] if ranged else BODY)


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 400), ("x", 400)])
def test_a_completed_upload_has_the_size_that_the_caller_states(
    emulator: Emulator, s3: Any, bucket: str, size: object, status: int
) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="one")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="one", UploadId=upload, PartNumber=1, Body=BODY)
    listed = f"<Part><ETag>{part['ETag']}</ETag><PartNumber>1</PartNumber></Part>"
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    headers = {**SIGNED, "x-amz-mp-object-size": str(size)}
    path = f"/{bucket}/one?uploadId={upload}"
    answer = send_request(emulator, "POST", path, headers=headers, body=body)
    assert answer.status == status
    assert (b"<Code>InvalidRequest</Code>" in answer.data) == (status == 400)
    assert send_request(emulator, "POST", path, headers=SIGNED, body=body).status == (
        200 if status == 400 else 404
    )


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({"Range": "bits=0-1"}, 200, BODY),
        ({"Range": "bytes=0-1"}, 206, b"01"),
        ({"If-Match": "*"}, 200, BODY),
        ({"If-Match": "*", "Range": "bytes=2-3"}, 206, b"23"),
    ],
)
def test_a_condition_without_effect_is_ignored(
    emulator: Emulator, s3: Any, bucket: str, headers: dict[str, str], status: int, body: bytes
) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    answer = send_request(emulator, "GET", f"/{bucket}/key", headers=SIGNED | headers)
    assert (answer.status, answer.data) == (status, body)


def test_no_error_is_an_html_page(emulator: Emulator, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    answer = send_request(emulator, "GET", f"/{bucket}/key?partNumber=2", headers=SIGNED)
    assert (answer.status, answer.headers["Content-Type"]) == (416, "application/xml")
    assert b"<Code>InvalidPartNumber</Code>" in answer.data


@pytest.mark.parametrize("length", [(5 << 30) + 1, 10**20])
def test_a_content_length_above_s3_s_limit_is_rejected_without_reading_the_body(
    emulator: Emulator, bucket: str, length: int
) -> None:
    host, _, port = emulator.endpoint.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"PUT /{bucket}/key HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\n\r\nabc".encode()
        )
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>EntityTooLarge</Code>" in answer


def _begin_upload(s3: Any, bucket: str) -> tuple[str, dict[int, str]]:
    """Start an upload with two parts. Return the upload id and the ETags by part number."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    address = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    tags = {
        number: s3.upload_part(**address, PartNumber=number, Body=bytes([number]) * 5 * MIB)["ETag"]
        for number in (1, 2)
    }
    return upload, tags


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1], [1, 2, 2]])
def test_parts_must_be_listed_in_order_and_once(s3: Any, bucket: str, numbers: list[int]) -> None:
    upload, tags = _begin_upload(s3, bucket)
    listed = [{"PartNumber": number, "ETag": tags[number]} for number in numbers]
    address = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    with pytest.raises(ClientError, match="InvalidPartOrder"):
        s3.complete_multipart_upload(**address, MultipartUpload={"Parts": listed})
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_an_ended_upload_accepts_no_calls(s3: Any, bucket: str) -> None:
    upload, tags = _begin_upload(s3, bucket)
    address = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    listed = [{"PartNumber": number, "ETag": tag} for number, tag in tags.items()]
    s3.complete_multipart_upload(**address, MultipartUpload={"Parts": listed})
    for gone in (upload, "never-begun"):
        over = address | {"UploadId": gone}
        source = {"Bucket": bucket, "Key": "key"}
        for attempt in (
            partial(s3.upload_part, **over, PartNumber=3, Body=b"x"),
            partial(s3.upload_part_copy, **over, PartNumber=3, CopySource=source),
            partial(s3.list_parts, **over),
            partial(s3.abort_multipart_upload, **over),
        ):
            with pytest.raises(ClientError, match="NoSuchUpload"):
                attempt()


def test_unsigned_requests_are_accepted(emulator: Emulator, bucket: str) -> None:
    assert send_request(emulator, "PUT", f"/{bucket}/key", body=BODY).status == 200
    answer = send_request(emulator, "GET", f"/{bucket}/key")
    assert (answer.status, answer.data) == (200, BODY)
    assert send_request(emulator, "HEAD", f"/{bucket}/key").status == 200


@pytest.mark.parametrize(
    ("query", "authorization", "code"),
    [
        ("", "AWS4-HMAC-SHA256 foo", "AuthorizationHeaderMalformed"),
        ("", "Bearer Credential", "AuthorizationHeaderMalformed"),
        ("?X-Amz-Signature=00", "AWS4-HMAC-SHA256 foo", "InvalidArgument"),
        ("?X-Amz-Signature=00", SIGNED["Authorization"], "InvalidArgument"),
    ],
)
def test_a_malformed_authorization_is_a_client_error(
    emulator: Emulator, bucket: str, query: str, authorization: str, code: str
) -> None:
    answer = send_request(
        emulator, "GET", f"/{bucket}{query}", headers={"Authorization": authorization}
    )
    assert (answer.status, f"<Code>{code}</Code>" in answer.data.decode()) == (400, True)
