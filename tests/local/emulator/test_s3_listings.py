"""Pages of S3 listings: markers, common prefixes, limits."""

from typing import Any
from uuid import uuid4

import pytest

from local.emulator.server import Emulator
from tests.local.emulator.s3_support import read_error, send

KEYS = ["a", "d0/x", "d0/y", "d1/x", "d2/x", "d2/y", "e", "pl+us/ü%20", "z\nline", "z\rline"]
PREFIXES = ["a", "d0/", "d1/", "d2/", "e", "pl+us/", "z\nline", "z\rline"]


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    name = f"listings-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    for key in reversed(KEYS):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


@pytest.fixture(scope="module")
def bucket_with_uploads(s3: Any) -> str:
    name = f"uploads-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    for key in [*reversed(KEYS), "a"]:
        s3.create_multipart_upload(Bucket=name, Key=key)
    return name


def read_names(page: dict[str, Any], entries: str) -> list[str]:
    """Return the keys and common prefixes of a page in order."""
    prefixes = [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return sorted(prefixes + [entry["Key"] for entry in page.get(entries, [])])


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(("delimiter", "names"), [({}, KEYS), ({"Delimiter": "/"}, PREFIXES)])
def test_pages_have_each_key_and_common_prefix_once(
    s3: Any, bucket: str, operation: str, size: int, delimiter: dict[str, str], names: list[str]
) -> None:
    paginator = s3.get_paginator(operation)
    pages = list(
        paginator.paginate(Bucket=bucket, **delimiter, PaginationConfig={"PageSize": size})
    )
    listed = [read_names(page, "Contents") for page in pages]
    assert listed == [names[start : start + size] for start in range(0, len(names), size)]


@pytest.mark.parametrize(
    ("marker", "names"),
    [
        ("d1/", PREFIXES[3:]),
        ("d0/", PREFIXES[2:]),
        ("d1/x", PREFIXES[3:]),
        ("e", PREFIXES[5:]),
        ("z\rline", []),
    ],
)
def test_a_page_has_nothing_at_or_before_the_marker(
    s3: Any, bucket: str, marker: str, names: list[str]
) -> None:
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker=marker)
    assert read_names(page, "Contents") == names


def test_a_listing_has_the_keys_with_the_prefix(s3: Any, bucket: str) -> None:
    page = s3.list_objects(Bucket=bucket, Prefix="d2/")
    assert read_names(page, "Contents") == ["d2/x", "d2/y"]
    page = s3.list_objects(Bucket=bucket, Prefix="pl+us/", Delimiter="%")
    assert read_names(page, "Contents") == ["pl+us/ü%"]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(("delimiter", "names"), [({}, KEYS), ({"Delimiter": "/"}, PREFIXES)])
def test_pages_of_uploads_have_each_upload_once(
    s3: Any, bucket_with_uploads: str, size: int, delimiter: dict[str, str], names: list[str]
) -> None:
    paginator = s3.get_paginator("list_multipart_uploads")
    pages = list(
        paginator.paginate(
            Bucket=bucket_with_uploads, **delimiter, PaginationConfig={"PageSize": size}
        )
    )
    expected = ["a", *names]
    listed = [read_names(page, "Uploads") for page in pages]
    assert listed == [expected[start : start + size] for start in range(0, len(expected), size)]
    uploads = [entry["UploadId"] for page in pages for entry in page.get("Uploads", [])]
    assert len(set(uploads)) == len(uploads)


@pytest.mark.parametrize(
    "query",
    [
        *("max-keys=-1", "max-keys=abc", "max-keys=", f"max-keys={'9' * 5_000}"),
        *("list-type=2&max-keys=-1", "list-type=2&max-keys=1.5", "versions&max-keys=abc"),
        *("uploads&max-uploads=abc", "uploads&max-uploads=-1", "encoding-type=zip"),
        *("list-type=2&continuation-token=junk", "list-type=2&continuation-token="),
    ],
)
def test_an_invalid_parameter_of_a_listing_is_rejected(
    emulator: Emulator, bucket: str, query: str
) -> None:
    assert read_error(send(emulator, "GET", f"/{bucket}?{query}")) == (400, "InvalidArgument")


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_a_page_has_at_most_1_000_entries(s3: Any, bucket: str, operation: str) -> None:
    assert getattr(s3, operation)(Bucket=bucket, MaxKeys=5_000)["MaxKeys"] == 1_000


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_an_empty_page_is_not_truncated(s3: Any, bucket: str, operation: str) -> None:
    assert getattr(s3, operation)(Bucket=bucket, MaxKeys=0)["IsTruncated"] is False


def test_a_listing_has_no_common_prefix_of_deleted_objects_alone(s3: Any) -> None:
    """In a versioned bucket a deletion adds a delete marker, which is no object."""
    bucket = f"versions-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a/1", "b/1", "b/2", "c", "d/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    for key in ("a/1", "b/2", "d/1"):
        s3.delete_object(Bucket=bucket, Key=key)
    for operation in (s3.list_objects, s3.list_objects_v2):
        for size in (1, 1000):
            pages = s3.get_paginator(operation.__name__).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            )
            found = [
                item.get("Prefix") or item["Key"]
                for page in pages
                for item in (*page.get("CommonPrefixes", ()), *page.get("Contents", ()))
            ]
            assert found == ["b/", "c"]


def test_a_list_of_versions_has_every_key(s3: Any) -> None:
    """boto3 asks for encoding-type=url, without which a control character ends the XML parser."""
    name = f"versions-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    keys = ["a&b", "c\x01d", "e/f g", "e/ü%20", "z\rline"]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"1")
        s3.delete_object(Bucket=name, Key=key)
    for size in (1, 2, 3, 100):
        versions, markers = [], []
        paginator = s3.get_paginator("list_object_versions")
        for page in paginator.paginate(Bucket=name, PaginationConfig={"PageSize": size}):
            versions += page.get("Versions", [])
            markers += page.get("DeleteMarkers", [])
            assert len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) <= size
        assert [version["Key"] for version in versions] == keys
        assert [marker["Key"] for marker in markers] == keys
    folders = s3.list_object_versions(Bucket=name, Delimiter="/", Prefix="e")
    assert folders["CommonPrefixes"] == [{"Prefix": "e/"}]
    assert (folders["Prefix"], folders["Delimiter"]) == ("e", "/")


def test_a_page_of_no_versions_is_complete(s3: Any, bucket: str) -> None:
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=0)
    assert page["IsTruncated"] is False
    assert "Versions" not in page


def test_a_list_of_versions_without_an_encoding_has_plain_keys(
    emulator: Emulator, s3: Any, bucket: str
) -> None:
    listed = send(emulator, "GET", f"/{bucket}?versions&prefix=pl").data.decode()
    assert "<Key>pl+us/ü%20</Key>" in listed
    encoded = send(emulator, "GET", f"/{bucket}?versions&prefix=pl&encoding-type=url").data.decode()
    assert "<Key>pl%2Bus/%C3%BC%2520</Key>" in encoded
    assert "<EncodingType>url</EncodingType>" in encoded
