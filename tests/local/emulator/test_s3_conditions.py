"""Conditional writes, copies and deletions in S3: a request with a failed condition changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.emulator.server import Emulator
from tests.local.emulator.s3_support import catch_error, read_error, read_object, send

FAILED = (412, "PreconditionFailed")
PAST, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
OTHER = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def bucket(s3: Any, bucket: str) -> str:
    """A bucket with the objects `source` and `target`."""
    s3.put_object(Bucket=bucket, Key="source", Body=b"other")
    s3.put_object(Bucket=bucket, Key="target", Body=b"precious")
    return bucket


def get_etag(s3: Any, bucket: str, key: str) -> str:
    return str(s3.head_object(Bucket=bucket, Key=key)["ETag"])


@pytest.mark.parametrize(
    "condition",
    [
        {"CopySourceIfMatch": OTHER},
        {"CopySourceIfNoneMatch": "*"},
        {"CopySourceIfModifiedSince": FUTURE},
        {"CopySourceIfUnmodifiedSince": PAST},
    ],
    ids=str,
)
def test_a_copy_with_a_failed_condition_on_its_source_is_rejected(
    s3: Any, bucket: str, condition: dict[str, str]
) -> None:
    source = {"CopySource": {"Bucket": bucket, "Key": "source"}}
    copy = {"Bucket": bucket, "Key": "target", **source, **condition}
    assert catch_error(s3.copy_object, **copy) == FAILED
    assert read_object(s3, bucket, "target") == b"precious"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="target")["UploadId"]
    part = {**copy, "UploadId": upload, "PartNumber": 1}
    assert catch_error(s3.upload_part_copy, **part) == FAILED
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="target", UploadId=upload)


def test_a_copy_with_conditions_that_hold_is_made(s3: Any, bucket: str) -> None:
    """If-Match takes precedence over If-Unmodified-Since."""
    etag = get_etag(s3, bucket, "source")
    conditions = {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": PAST}
    source = {"Bucket": bucket, "Key": "source"}
    target_etag = get_etag(s3, bucket, "target")
    s3.copy_object(
        Bucket=bucket, Key="target", CopySource=source, IfMatch=target_etag, **conditions
    )
    s3.copy_object(Bucket=bucket, Key="new", CopySource=source, IfNoneMatch="*")
    assert read_object(s3, bucket, "target") == read_object(s3, bucket, "new") == b"other"


WRITES = ["put", "copy", "complete"]


def write_target(s3: Any, bucket: str, kind: str, **condition: str) -> tuple[int, str]:
    """Replace the object `target` in one of three ways. Return the status and the error code."""
    target = {"Bucket": bucket, "Key": "target"}
    if kind == "put":
        return catch_error(s3.put_object, **target, Body=b"new", **condition)
    if kind == "copy":
        source = {"Bucket": bucket, "Key": "source"}
        return catch_error(s3.copy_object, **target, CopySource=source, **condition)
    upload = {**target, "UploadId": s3.create_multipart_upload(**target)["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"new")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    return catch_error(s3.complete_multipart_upload, **upload, MultipartUpload=parts, **condition)


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("condition", [{"IfMatch": OTHER}, {"IfNoneMatch": "*"}], ids=str)
def test_a_write_with_a_failed_condition_on_its_target_is_rejected(
    s3: Any, bucket: str, kind: str, condition: dict[str, str]
) -> None:
    assert write_target(s3, bucket, kind, **condition) == FAILED
    assert read_object(s3, bucket, "target") == b"precious"


@pytest.mark.parametrize("kind", WRITES)
def test_a_write_with_a_condition_that_holds_is_made(s3: Any, bucket: str, kind: str) -> None:
    etag = get_etag(s3, bucket, "target")
    assert write_target(s3, bucket, kind, IfMatch=etag) == (200, "")
    s3.delete_object(Bucket=bucket, Key="target")
    assert write_target(s3, bucket, kind, IfMatch=etag) == (404, "NoSuchKey")
    assert write_target(s3, bucket, kind, IfNoneMatch="*") == (200, "")


@pytest.mark.parametrize("kind", WRITES)
def test_if_none_match_with_an_etag_is_not_implemented_for_writes(
    s3: Any, bucket: str, kind: str
) -> None:
    assert write_target(s3, bucket, kind, IfNoneMatch=OTHER) == (501, "NotImplemented")


def test_one_of_many_concurrent_conditional_writes_succeeds(s3: Any, bucket: str) -> None:
    def put(body: int) -> tuple[int, str]:
        request = {"Bucket": bucket, "Key": "lock", "Body": bytes([body]), "IfNoneMatch": "*"}
        return catch_error(s3.put_object, **request)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(put, range(16)))
    assert sorted(results) == [(200, "")] + [FAILED] * 15
    assert read_object(s3, bucket, "lock") == bytes([results.index((200, ""))])


def test_a_conditional_deletion_deletes_the_matching_object_only(s3: Any, bucket: str) -> None:
    target = {"Bucket": bucket, "Key": "target"}
    assert catch_error(s3.delete_object, **target, IfMatch=OTHER) == FAILED
    assert read_object(s3, bucket, "target") == b"precious"
    assert catch_error(s3.delete_object, **target, IfMatch=get_etag(s3, bucket, "target"))[0] == 200
    assert catch_error(s3.head_object, **target)[0] == 404


def test_delete_objects_deletes_the_objects_with_matching_etags_only(s3: Any, bucket: str) -> None:
    for key in ("a", "b\r", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    etag = get_etag(s3, bucket, "a")
    objects = [
        {"Key": "a", "ETag": etag},
        {"Key": "b\r"},
        {"Key": "c", "ETag": OTHER},
        {"Key": "none", "ETag": etag},
        {"Key": "target", "VersionId": "bogus"},
    ]
    result = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [entry["Key"] for entry in result["Deleted"]] == ["a", "b\r"]
    assert {entry["Key"]: entry["Code"] for entry in result["Errors"]} == {
        "c": "PreconditionFailed",
        "none": "NoSuchKey",
        "target": "InvalidArgument",
    }
    assert read_object(s3, bucket, "c") == b"x"
    assert read_object(s3, bucket, "target") == b"precious"


def test_a_quiet_deletion_lists_errors_only(s3: Any, bucket: str) -> None:
    objects = [{"Key": "source"}, {"Key": "target", "ETag": OTHER}]
    result = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    assert "Deleted" not in result
    assert [entry["Key"] for entry in result["Errors"]] == ["target"]
    assert catch_error(s3.head_object, Bucket=bucket, Key="source")[0] == 404


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_deletion_lists_between_1_and_1_000_keys(
    emulator: Emulator, s3: Any, bucket: str, count: int
) -> None:
    listed = "".join(f"<Object><Key>{number}</Key></Object>" for number in range(count))
    body = f"<Delete><Object><Key>target</Key></Object>{listed}</Delete>" if count else "<Delete/>"
    response = send(emulator, "POST", f"/{bucket}?delete", body=body.encode())
    assert read_error(response) == (400, "MalformedXML")
    assert read_object(s3, bucket, "target") == b"precious"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("", (400, "InvalidArgument")),
        ("x", (400, "InvalidArgument")),
        ("/{}", (400, "InvalidArgument")),
        ("//", (400, "InvalidArgument")),
        ("{}/%ff", (400, "InvalidArgument")),
        ("{}/source?versionId=", (400, "InvalidArgument")),
        ("{}/source?versionId=bogus", (400, "InvalidArgument")),
        ("{}/none", (404, "NoSuchKey")),
        ("no-such-bucket/source", (404, "NoSuchBucket")),
        ("{}/source", (200, "")),
        ("/{}/source?versionId=null", (200, "")),
    ],
)
def test_a_copy_source_is_a_bucket_and_a_key(
    emulator: Emulator, bucket: str, source: str, error: tuple[int, str]
) -> None:
    headers = {"x-amz-copy-source": source.format(bucket)}
    assert read_error(send(emulator, "PUT", f"/{bucket}/copy", headers=headers)) == error


def test_an_if_range_with_another_etag_reads_the_whole_object(
    emulator: Emulator, s3: Any, bucket: str
) -> None:
    etag = get_etag(s3, bucket, "target")
    for condition, status in ((etag, 206), (OTHER, 200), (PAST, 200)):
        headers = {"Range": "bytes=0-1", "If-Range": condition}
        assert send(emulator, "GET", f"/{bucket}/target", headers=headers).status == status
