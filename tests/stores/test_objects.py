"""Objects in S3: sources and Twofold's own objects."""

import boto3
import pytest
from botocore.stub import Stubber

from tests.support.workflow_harness import WorkflowHarness
from twofold.stores import objects
from twofold.stores.objects import (
    Bucket,
    LostObjectError,
    ObjectUnreachableError,
    Part,
    SourceChangedError,
    pin,
    require_unchanged,
    stream,
    stream_past,
)

DATA = bytes(range(256)) * 8


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "CHUNK_BYTES", 300)
    monkeypatch.setattr(objects, "OVERRUN_BYTES", 70)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(("start", "end"), [(0, 2048), (0, 1), (299, 301), (2047, 2048), (5, 5)])
def test_a_stream_is_exactly_the_range(harness: WorkflowHarness, start: int, end: int) -> None:
    chunks = list(stream(harness.put_source(DATA), start, end))
    assert b"".join(chunks) == DATA[start:end]
    assert all(0 < len(chunk) <= 300 for chunk in chunks)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("end", [1, 1000, 2047, 2048])
def test_stream_past_continues_to_the_end_of_the_object(harness: WorkflowHarness, end: int) -> None:
    assert b"".join(stream_past(harness.put_source(DATA), 0, end)) == DATA


@pytest.mark.usefixtures("steps")
def test_stream_past_reads_only_the_consumed_bytes(harness: WorkflowHarness) -> None:
    source = harness.put_source(DATA)
    chunks = stream_past(source, 0, 100)
    assert next(chunks) == DATA[:100]
    harness.bucket.put(source.key, b"other")
    with pytest.raises(SourceChangedError):
        next(chunks)


def test_a_replaced_or_deleted_source_is_detected(harness: WorkflowHarness) -> None:
    source = harness.put_source(DATA)
    require_unchanged(source)
    harness.bucket.put(source.key, DATA[:-1])
    with pytest.raises(SourceChangedError, match=source.key):
        list(stream(source, 0, 10))
    with pytest.raises(SourceChangedError, match=source.key):
        require_unchanged(source)
    harness.delete_objects(source.key)
    with pytest.raises(ObjectUnreachableError, match=source.key):
        list(stream(source, 0, 10))
    with pytest.raises(ObjectUnreachableError, match=source.key):
        require_unchanged(source)


def keep_versions(harness: WorkflowHarness) -> None:
    boto3.client("s3").put_bucket_versioning(
        Bucket=harness.bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )


def delete_versions(harness: WorkflowHarness) -> None:
    listed = boto3.client("s3").list_object_versions(Bucket=harness.bucket.name)
    for version in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
        boto3.client("s3").delete_object(
            Bucket=harness.bucket.name, Key=version["Key"], VersionId=version["VersionId"]
        )


def test_a_pinned_version_stays_readable_after_a_newer_one(harness: WorkflowHarness) -> None:
    keep_versions(harness)
    harness.bucket.put("versioned", b"old")
    source = pin(harness.bucket.name, "versioned")
    harness.bucket.put("versioned", b"new!")
    assert source.version
    require_unchanged(source)
    assert b"".join(stream(source, 0, 3)) == b"old"
    again = pin(harness.bucket.name, "versioned", source.version)
    assert (again.size, again.etag) == (3, source.etag)
    delete_versions(harness)


@pytest.mark.parametrize("bucket", ["none-of-that-name", ""])
def test_an_object_that_cannot_be_pinned_is_unreachable(
    harness: WorkflowHarness, bucket: str
) -> None:
    with pytest.raises(ObjectUnreachableError, match="/missing cannot be read"):
        pin(bucket or harness.bucket.name, "missing")


def test_an_own_object_that_is_missing_is_lost(harness: WorkflowHarness) -> None:
    harness.bucket.put("here", b"12345")
    assert harness.bucket.find_size("here") == 5
    assert harness.bucket.find_size("gone") is None
    for read in (
        lambda: harness.bucket.get("gone"),
        lambda: harness.bucket.get_range("gone", 0, 1),
        lambda: list(harness.bucket.get_all(["here", "gone"])),
    ):
        with pytest.raises(LostObjectError, match="gone"):
            read()


def test_ranges_and_objects_are_returned_in_order(harness: WorkflowHarness) -> None:
    keys = [f"many/{number}" for number in range(40)]
    for key in keys:
        harness.bucket.put(key, key.encode())
    assert list(harness.bucket.get_all(reversed(keys))) == [key.encode() for key in reversed(keys)]
    assert harness.bucket.get_range("many/7", 2, 3) == b"ny/"
    assert harness.bucket.get_range("many/7", 0, 0) == b""


def test_an_upload_can_be_completed_again_with_its_parts_in_any_order(
    harness: WorkflowHarness,
) -> None:
    upload = harness.bucket.begin_upload("joined")
    last = harness.bucket.put_part("joined", upload, 2, b"end")
    first = harness.bucket.put_part("joined", upload, 1, b"x" * (5 << 20))
    for parts in ([last, first], [first, last]):
        harness.bucket.complete_upload("joined", upload, parts)
        assert harness.bucket.find_size("joined") == (5 << 20) + 3
        assert harness.bucket.get("joined")[-4:] == b"xend"


def test_an_upload_with_a_wrong_part_is_not_completed(harness: WorkflowHarness) -> None:
    upload = harness.bucket.begin_upload("joined")
    harness.bucket.put_part("joined", upload, 1, b"x")
    with pytest.raises(Exception, match="InvalidPart"):
        harness.bucket.complete_upload("joined", upload, [Part(1, '"0"')])
    assert harness.bucket.find_size("joined") is None


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("reports/p/o/report.html", "text/html; charset=utf-8"),
        ("reports/p/o/report.json", "application/json"),
        ("contents/p/train-1/o/entries.index", "application/octet-stream"),
    ],
)
def test_reports_have_content_types_for_browsers(
    harness: WorkflowHarness, key: str, kind: str
) -> None:
    harness.bucket.put(key, b"x")
    assert (
        boto3.client("s3").head_object(Bucket=harness.bucket.name, Key=key)["ContentType"] == kind
    )


def test_objects_are_fetched_in_parallel_but_not_far_ahead() -> None:
    """Objects occupy memory from fetching to consumption."""
    begun: list[str] = []

    class Counted(Bucket):
        def get(self, key: str) -> bytes:
            begun.append(key)
            return key.encode()

    keys = [str(number) for number in range(200)]
    for taken, body in enumerate(Counted("any").get_all(keys)):
        assert body == keys[taken].encode()
        assert len(begun) <= taken + 16
    assert sorted(begun) == sorted(keys)


def test_own_objects_are_read_without_version_in_a_versioned_bucket(
    harness: WorkflowHarness,
) -> None:
    """s3:GetObject does not cover versions, and no role may read versions of contents."""
    keep_versions(harness)
    harness.bucket.put("contents", b"once")
    assert harness.bucket.pin("contents").version is None
    assert pin(harness.bucket.name, "contents").version
    delete_versions(harness)


def test_a_given_version_is_pinned(harness: WorkflowHarness) -> None:
    """The version "null" was written before versioning; later versions do not replace the object."""
    answers = {"ContentLength": 3, "ETag": '"e"', "VersionId": "null"}
    with Stubber(objects.get_client()) as stubbed:
        for version in ("null", None):
            wanted = {"Bucket": "b", "Key": "k"} | ({"VersionId": version} if version else {})
            stubbed.add_response("head_object", answers, wanted)
        assert pin("b", "k", "null").version == "null"
        assert pin("b", "k").version is None


def test_a_delete_marker_is_unreachable(harness: WorkflowHarness) -> None:
    keep_versions(harness)
    harness.bucket.put("deleted", b"once")
    harness.bucket.delete(["deleted"])
    s3 = boto3.client("s3")
    (marker,) = s3.list_object_versions(Bucket=harness.bucket.name)["DeleteMarkers"]
    for version in (None, marker["VersionId"]):
        with pytest.raises(ObjectUnreachableError, match="/deleted cannot be read"):
            pin(harness.bucket.name, "deleted", version)
    delete_versions(harness)
