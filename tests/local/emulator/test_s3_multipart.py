"""Multipart uploads in S3: an upload belongs to one key, and contradictions are rejected before anything is written."""

import base64
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.emulator.server import Emulator
from tests.local.emulator.s3_support import catch_error, read_error, read_object, send

MIB = 1 << 20
BODIES = (b"a" * 5 * MIB, b"b" * 5 * MIB, b"c" * 7)
WRONG = "AAAAAA=="


def make_crc32(*bodies: bytes) -> str:
    return base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()


@dataclass(slots=True)
class Upload:
    """A multipart upload of the object `key`."""

    s3: Any
    bucket: str
    upload_id: str
    parts: list[dict[str, Any]]

    @classmethod
    def begin(cls, s3: Any, bucket: str, **options: Any) -> "Upload":
        created = s3.create_multipart_upload(Bucket=bucket, Key="key", **options)
        return cls(s3, bucket, created["UploadId"], [])

    @property
    def address(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": "key", "UploadId": self.upload_id}

    def put(self, *bodies: bytes) -> "Upload":
        for number, body in enumerate(bodies, 1):
            part = self.s3.upload_part(**self.address, PartNumber=number, Body=body)
            self.parts.append({"PartNumber": number, "ETag": part["ETag"]})
        return self

    def complete(self, **options: Any) -> tuple[int, str]:
        """Return the status and the error code of CompleteMultipartUpload."""
        request = {"MultipartUpload": {"Parts": self.parts}} | options
        return catch_error(self.s3.complete_multipart_upload, **self.address, **request)


def test_an_upload_belongs_to_one_key(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"x")
    other = upload.address | {"Key": "other"}
    missing = (404, "NoSuchUpload")
    parts = {"Parts": upload.parts}
    source = {"Bucket": bucket, "Key": "source"}
    s3.put_object(**source, Body=b"x")
    assert catch_error(s3.upload_part, **other, PartNumber=2, Body=b"y") == missing
    assert catch_error(s3.upload_part_copy, **other, PartNumber=2, CopySource=source) == missing
    assert catch_error(s3.list_parts, **other) == missing
    assert catch_error(s3.complete_multipart_upload, **other, MultipartUpload=parts) == missing
    assert catch_error(s3.abort_multipart_upload, **other) == missing
    assert [part["PartNumber"] for part in s3.list_parts(**upload.address)["Parts"]] == [1]
    assert upload.complete() == (200, "")
    assert read_object(s3, bucket, "key") == b"x"


@pytest.mark.parametrize("query", ["uploadId={}", "partNumber=1", "uploadId={}&partNumber="])
def test_a_part_without_number_or_upload_does_not_replace_the_object(
    emulator: Emulator, s3: Any, bucket: str, query: str
) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"precious")
    path = f"/{bucket}/key?{query.format(Upload.begin(s3, bucket).upload_id)}"
    assert read_error(send(emulator, "PUT", path, body=b"part")) == (400, "InvalidArgument")
    assert read_object(s3, bucket, "key") == b"precious"


@pytest.mark.parametrize("number", ["0", "-1", "10001", "1.5", "abc", "", "9" * 5_000])
def test_a_part_number_is_an_integer_between_1_and_10_000(
    emulator: Emulator, s3: Any, bucket: str, number: str
) -> None:
    upload = Upload.begin(s3, bucket)
    path = f"/{bucket}/key?uploadId={upload.upload_id}&partNumber={number}"
    assert read_error(send(emulator, "PUT", path, body=b"part")) == (400, "InvalidArgument")


def test_a_part_has_the_checksum_algorithm_of_the_upload(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256")
    part = {**upload.address, "PartNumber": 1, "Body": b"x"}
    refused = catch_error(s3.upload_part, **part, ChecksumAlgorithm="CRC32")
    assert refused == (400, "InvalidRequest")
    assert catch_error(s3.upload_part, **part, ChecksumAlgorithm="SHA256") == (200, "")


def test_the_checksums_of_listed_parts_are_compared(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32").put(*BODIES)
    right = [
        {**part, "ChecksumCRC32": make_crc32(body)}
        for part, body in zip(upload.parts, BODIES, strict=True)
    ]
    for number in range(3):
        wrong = [*right]
        wrong[number] = {**wrong[number], "ChecksumCRC32": WRONG}
        assert upload.complete(MultipartUpload={"Parts": wrong}) == (400, "InvalidPart")
    other = [{**right[0], "ChecksumSHA256": base64.b64encode(bytes(32)).decode()}, *right[1:]]
    assert upload.complete(MultipartUpload={"Parts": other}) == (400, "InvalidRequest")
    assert catch_error(s3.head_object, Bucket=bucket, Key="key")[0] == 404
    assert upload.complete(MultipartUpload={"Parts": right}) == (200, "")


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_the_checksum_of_the_object_is_compared(s3: Any, bucket: str, kind: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType=kind).put(*BODIES)
    digests = (zlib.crc32(body).to_bytes(4, "big") for body in BODIES)
    value = make_crc32(*BODIES) if kind == "FULL_OBJECT" else f"{make_crc32(*digests)}-3"
    other_kind = "COMPOSITE" if kind == "FULL_OBJECT" else "FULL_OBJECT"
    assert upload.complete(ChecksumCRC32=WRONG) == (400, "BadDigest")
    assert upload.complete(ChecksumType=other_kind) == (400, "InvalidRequest")
    assert upload.complete(ChecksumSHA1="AAAA") == (400, "InvalidRequest")
    assert catch_error(s3.head_object, Bucket=bucket, Key="key")[0] == 404
    assert upload.complete(ChecksumCRC32=value, ChecksumType=kind) == (200, "")


def test_the_checksum_of_the_object_is_compared_without_an_algorithm_of_the_upload(
    s3: Any, bucket: str
) -> None:
    upload = Upload.begin(s3, bucket).put(*BODIES)
    assert upload.complete(ChecksumCRC32=WRONG) == (400, "BadDigest")
    assert upload.complete(ChecksumCRC32=make_crc32(*BODIES)) == (200, "")


PART = "<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MalformedXML"),
        ("junk", "MalformedXML"),
        ("<x/>", "MalformedXML"),
        (f"<x>{PART}</x>", "MalformedXML"),
        ("<CompleteMultipartUpload/>", "MalformedXML"),
        (f"<CompleteMultipartUpload>{PART.replace('<ETag>x</ETag>', '')}</CompleteMultipartUpload>", "MalformedXML"),
        (f"<CompleteMultipartUpload>{PART.replace('1', '')}</CompleteMultipartUpload>", "MalformedXML"),
        (f"<CompleteMultipartUpload>{PART.replace('1', 'a')}</CompleteMultipartUpload>", "InvalidArgument"),
        (f"<CompleteMultipartUpload>{PART.replace('1', '9' * 5_000)}</CompleteMultipartUpload>", "InvalidArgument"),
        (f"<!DOCTYPE x [<!ENTITY e 'x'>]><CompleteMultipartUpload>{PART}</CompleteMultipartUpload>", "MalformedXML"),
        (f"<CompleteMultipartUpload>{PART}</CompleteMultipartUpload>", "InvalidPart"),
    ],
)  # fmt: skip
def test_an_invalid_list_of_parts_is_rejected(
    emulator: Emulator, s3: Any, bucket: str, body: str, code: str
) -> None:
    upload = Upload.begin(s3, bucket).put(b"x")
    path = f"/{bucket}/key?uploadId={upload.upload_id}"
    assert read_error(send(emulator, "POST", path, body=body.encode())) == (400, code)
    assert upload.complete() == (200, "")


@pytest.mark.parametrize(
    ("copied", "error"),
    [
        ("bytes=0-9", (200, "")),
        ("bytes=3-5", (200, "")),
        ("bytes=0-0", (200, "")),
        ("bytes=-3", (400, "InvalidArgument")),
        ("bytes=4-", (400, "InvalidArgument")),
        ("bytes=5-2", (400, "InvalidArgument")),
        ("bytes=5-100", (400, "InvalidArgument")),
        ("bytes=10-12", (400, "InvalidArgument")),
        ("bytes=0-" + "9" * 5_000, (400, "InvalidArgument")),
        ("0-4", (400, "InvalidArgument")),
        ("bytes=0-1,3-4", (400, "InvalidArgument")),
    ],
)
def test_a_copied_range_is_in_the_object(
    s3: Any, bucket: str, copied: str, error: tuple[int, str]
) -> None:
    body = b"0123456789"
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    upload = Upload.begin(s3, bucket)
    part = {**upload.address, "PartNumber": 1, "CopySource": {"Bucket": bucket, "Key": "source"}}
    assert catch_error(s3.upload_part_copy, **part, CopySourceRange=copied) == error
    sizes = [part["Size"] for part in s3.list_parts(**upload.address).get("Parts", [])]
    if error[0] == 200:
        first, last = map(int, copied.removeprefix("bytes=").split("-"))
        assert sizes == [last + 1 - first]
    else:
        assert sizes == []


@pytest.fixture(scope="module")
def object_in_parts(s3: Any) -> dict[str, str]:
    bucket = f"parts-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    upload = Upload.begin(s3, bucket).put(*BODIES, b"not listed")
    upload.parts.pop()
    assert upload.complete() == (200, "")
    return {"Bucket": bucket, "Key": "key"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_part_of_an_object_is_read(s3: Any, object_in_parts: dict[str, str], number: int) -> None:
    start, size = sum(map(len, BODIES[: number - 1])), len(BODIES[number - 1])
    expected = (206, size, 3, f"bytes {start}-{start + size - 1}/{sum(map(len, BODIES))}")
    for operation in (s3.get_object, s3.head_object):
        part = operation(**object_in_parts, PartNumber=number)
        status = part["ResponseMetadata"]["HTTPStatusCode"]
        assert (status, part["ContentLength"], part["PartsCount"], part["ContentRange"]) == expected
        assert part["ETag"].endswith('-3"')
        if "Body" in part:
            assert part["Body"].read() == BODIES[number - 1]


def test_an_object_has_no_other_parts(
    emulator: Emulator, s3: Any, object_in_parts: dict[str, str]
) -> None:
    path = "/{Bucket}/{Key}".format(**object_in_parts)
    for number, error in (
        ("4", (416, "InvalidPartNumber")),
        ("0", (400, "InvalidArgument")),
        ("", (400, "InvalidArgument")),
        ("abc", (400, "InvalidArgument")),
    ):
        assert read_error(send(emulator, "GET", f"{path}?partNumber={number}")) == error
    headers = {"Range": "bytes=0-1"}
    response = send(emulator, "GET", f"{path}?partNumber=1", headers=headers)
    assert read_error(response) == (400, "InvalidRequest")
    failed = catch_error(s3.get_object, **object_in_parts, PartNumber=1, IfMatch='"other"')
    assert failed == (412, "PreconditionFailed")


def test_an_object_of_a_single_put_has_one_part(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="small", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert read_object(s3, bucket, "small", PartNumber=1) == b"0123456789"
    assert read_object(s3, bucket, "empty", PartNumber=1) == b""
    for key in ("small", "empty"):
        assert catch_error(s3.get_object, Bucket=bucket, Key=key, PartNumber=2)[0] == 416


def test_a_copy_of_an_object_in_parts_has_one_part(
    s3: Any, bucket: str, object_in_parts: dict[str, str]
) -> None:
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=object_in_parts)
    part = s3.head_object(Bucket=bucket, Key="copy", PartNumber=1)
    assert (part["ContentLength"], "PartsCount" in part) == (sum(map(len, BODIES)), False)


def test_parts_are_listed_in_pages_by_number(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    for number in (5, 7, 9):
        s3.upload_part(**upload.address, PartNumber=number, Body=b"x")
    paginator = s3.get_paginator("list_parts")
    pages = list(paginator.paginate(**upload.address, PaginationConfig={"PageSize": 2}))
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[5, 7], [9]]
    assert [page["IsTruncated"] for page in pages] == [True, False]
