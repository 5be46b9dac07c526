"""Versions of S3 objects: neither a write nor a deletion loses another version."""

from typing import Any
from uuid import uuid4

import pytest

from tests.local.emulator.s3_support import catch_error, read_object

UNKNOWN = str(uuid4())


def set_versioning(s3: Any, bucket: str, status: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def list_versions(s3: Any, bucket: str) -> dict[str, bool]:
    """Return whether each version is the latest, by version id."""
    listed = s3.list_object_versions(Bucket=bucket)
    entries = listed.get("Versions", []) + listed.get("DeleteMarkers", [])
    return {entry["VersionId"]: entry["IsLatest"] for entry in entries}


def test_a_write_in_a_suspended_bucket_replaces_the_null_version_only(s3: Any, bucket: str) -> None:
    key = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**key, Body=b"unversioned")
    set_versioning(s3, bucket, "Enabled")
    first = s3.put_object(**key, Body=b"first")["VersionId"]
    assert read_object(s3, bucket, "key", VersionId="null") == b"unversioned"
    set_versioning(s3, bucket, "Suspended")
    for body in (b"second", b"third" * 500_000):
        assert s3.put_object(**key, Body=body)["VersionId"] == "null"
        assert read_object(s3, bucket, "key") == body
        assert read_object(s3, bucket, "key", VersionId="null") == body
    assert read_object(s3, bucket, "key", VersionId=first) == b"first"
    assert s3.head_object(**key, VersionId=first)["ContentLength"] == 5
    assert s3.copy_object(**key, CopySource={**key, "VersionId": first})["VersionId"] == "null"
    assert read_object(s3, bucket, "key") == b"first"
    assert list_versions(s3, bucket) == {"null": True, first: False}
    set_versioning(s3, bucket, "Enabled")
    second = s3.put_object(**key, Body=b"fourth")["VersionId"]
    assert list_versions(s3, bucket) == {second: True, "null": False, first: False}


def test_a_deletion_in_a_suspended_bucket_puts_a_null_delete_marker(s3: Any, bucket: str) -> None:
    key = {"Bucket": bucket, "Key": "key"}
    set_versioning(s3, bucket, "Enabled")
    first = s3.put_object(**key, Body=b"first")["VersionId"]
    set_versioning(s3, bucket, "Suspended")
    s3.put_object(**key, Body=b"second")
    for _ in range(2):
        deleted = s3.delete_object(**key)
        assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
        assert list_versions(s3, bucket) == {"null": True, first: False}
    assert catch_error(s3.get_object, **key) == (404, "NoSuchKey")
    s3.delete_object(**key, VersionId="null")
    assert read_object(s3, bucket, "key") == b"first"
    s3.delete_object(**key, VersionId=first)
    assert list_versions(s3, bucket) == {}


@pytest.mark.parametrize("status", [None, "Enabled", "Suspended"])
def test_the_deletion_of_an_unknown_version_deletes_nothing(
    s3: Any, bucket: str, status: str | None
) -> None:
    key = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**key, Body=b"precious")
    if status:
        set_versioning(s3, bucket, status)
    invalid = (400, "InvalidArgument")
    for operation in (s3.delete_object, s3.get_object):
        assert catch_error(operation, **key, VersionId="bogus") == invalid
    assert catch_error(s3.delete_object, **key, VersionId=UNKNOWN) == (200, "")
    objects = {"Objects": [{"Key": "key", "VersionId": UNKNOWN}]}
    s3.delete_objects(Bucket=bucket, Delete=objects)
    assert read_object(s3, bucket, "key") == b"precious"
    assert catch_error(s3.get_object, **key, VersionId=UNKNOWN) == (404, "NoSuchVersion")
    s3.delete_object(**key, VersionId="null")
    assert list_versions(s3, bucket) == {}


def test_a_delete_marker_is_named_in_the_error(s3: Any, bucket: str) -> None:
    key = {"Bucket": bucket, "Key": "key"}
    set_versioning(s3, bucket, "Enabled")
    marker = s3.delete_object(**key)["VersionId"]
    for version, expected in (
        ({}, (404, "NoSuchKey")),
        ({"VersionId": marker}, (405, "MethodNotAllowed")),
    ):
        assert catch_error(s3.get_object, **key, **version) == expected
        with pytest.raises(s3.exceptions.ClientError) as caught:
            s3.get_object(**key, **version)
        headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
        assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)


def test_a_read_of_the_null_version_names_it_if_the_bucket_has_versioning(
    s3: Any, bucket: str
) -> None:
    key = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**key, Body=b"unversioned" * 200_000)
    assert "VersionId" not in s3.head_object(**key)
    assert "VersionId" not in s3.get_object(**key)
    set_versioning(s3, bucket, "Enabled")
    for options in ({}, {"VersionId": "null"}, {"Range": "bytes=0-4"}):
        assert s3.get_object(**key, **options)["VersionId"] == "null"
        assert s3.head_object(**key, **options)["VersionId"] == "null"
    version = s3.put_object(**key, Body=b"")["VersionId"]
    assert s3.get_object(**key)["VersionId"] == s3.head_object(**key)["VersionId"] == version
    assert s3.get_object(**key, VersionId="null")["VersionId"] == "null"
