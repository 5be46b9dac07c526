"""Reading sources and Twofold's own objects."""

import boto3
import pytest
from botocore.stub import Stubber

from tests.workflow.world import World
from twofold.stores import objects
from twofold.stores.objects import (
    Bucket,
    LostObjectError,
    ObjectUnreachableError,
    Part,
    SourceChangedError,
    pin,
    require,
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
def test_a_stream_is_exactly_the_range(world: World, start: int, end: int) -> None:
    chunks = list(stream(world.source(DATA), start, end))
    assert b"".join(chunks) == DATA[start:end]
    assert all(0 < len(chunk) <= 300 for chunk in chunks)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("end", [1, 1000, 2047, 2048])
def test_a_stream_goes_on_past_its_end_to_the_end_of_the_object(world: World, end: int) -> None:
    assert b"".join(stream_past(world.source(DATA), 0, end)) == DATA


@pytest.mark.usefixtures("steps")
def test_past_its_end_a_stream_reads_no_more_than_is_asked_for(world: World) -> None:
    source = world.source(DATA)
    chunks = stream_past(source, 0, 100)
    assert next(chunks) == DATA[:100]
    world.bucket.put(source.key, b"other")
    with pytest.raises(SourceChangedError):
        next(chunks)


def test_a_source_that_was_replaced_or_deleted_is_noticed(world: World) -> None:
    source = world.source(DATA)
    require(source)
    world.bucket.put(source.key, DATA[:-1])
    with pytest.raises(SourceChangedError, match=source.key):
        list(stream(source, 0, 10))
    with pytest.raises(SourceChangedError, match=source.key):
        require(source)
    world.delete(source.key)
    with pytest.raises(ObjectUnreachableError, match=source.key):
        list(stream(source, 0, 10))
    with pytest.raises(ObjectUnreachableError, match=source.key):
        require(source)


def keep_versions(world: World) -> None:
    boto3.client("s3").put_bucket_versioning(
        Bucket=world.bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )


def delete_versions(world: World) -> None:
    listed = boto3.client("s3").list_object_versions(Bucket=world.bucket.name)
    for version in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
        boto3.client("s3").delete_object(
            Bucket=world.bucket.name, Key=version["Key"], VersionId=version["VersionId"]
        )


def test_a_pinned_version_stays_readable_when_a_newer_one_comes(world: World) -> None:
    keep_versions(world)
    world.bucket.put("versioned", b"old")
    source = pin(world.bucket.name, "versioned")
    world.bucket.put("versioned", b"new!")
    assert source.version
    require(source)
    assert b"".join(stream(source, 0, 3)) == b"old"
    again = pin(world.bucket.name, "versioned", source.version)
    assert (again.size, again.etag) == (3, source.etag)
    delete_versions(world)


@pytest.mark.parametrize("bucket", ["none-of-that-name", ""])
def test_what_cannot_be_pinned_is_unreachable(world: World, bucket: str) -> None:
    with pytest.raises(ObjectUnreachableError, match="/missing cannot be read"):
        pin(bucket or world.bucket.name, "missing")


def test_an_own_object_that_is_missing_is_lost(world: World) -> None:
    world.bucket.put("here", b"12345")
    assert world.bucket.size("here") == 5
    assert world.bucket.size("gone") is None
    for read in (
        lambda: world.bucket.get("gone"),
        lambda: world.bucket.get_range("gone", 0, 1),
        lambda: list(world.bucket.get_all(["here", "gone"])),
    ):
        with pytest.raises(LostObjectError, match="gone"):
            read()


def test_ranges_and_many_objects_come_as_asked_for(world: World) -> None:
    keys = [f"many/{number}" for number in range(40)]
    for key in keys:
        world.bucket.put(key, key.encode())
    assert list(world.bucket.get_all(reversed(keys))) == [key.encode() for key in reversed(keys)]
    assert world.bucket.get_range("many/7", 2, 3) == b"ny/"
    assert world.bucket.get_range("many/7", 0, 0) == b""


def test_an_upload_can_be_completed_again_with_its_parts_in_any_order(world: World) -> None:
    upload = world.bucket.begin_upload("joined")
    last = world.bucket.put_part("joined", upload, 2, b"end")
    first = world.bucket.put_part("joined", upload, 1, b"x" * (5 << 20))
    for parts in ([last, first], [first, last]):
        world.bucket.complete_upload("joined", upload, parts)
        assert world.bucket.size("joined") == (5 << 20) + 3
        assert world.bucket.get("joined")[-4:] == b"xend"


def test_an_upload_with_a_wrong_part_is_not_completed(world: World) -> None:
    upload = world.bucket.begin_upload("joined")
    world.bucket.put_part("joined", upload, 1, b"x")
    with pytest.raises(Exception, match="InvalidPart"):
        world.bucket.complete_upload("joined", upload, [Part(1, '"0"')])
    assert world.bucket.size("joined") is None


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("reports/p/o/report.html", "text/html; charset=utf-8"),
        ("reports/p/o/report.json", "application/json"),
        ("contents/p/train-1/o/entries.index", "application/octet-stream"),
    ],
)
def test_a_browser_can_show_what_is_for_people(world: World, key: str, kind: str) -> None:
    world.bucket.put(key, b"x")
    assert boto3.client("s3").head_object(Bucket=world.bucket.name, Key=key)["ContentType"] == kind


def test_objects_are_fetched_side_by_side_but_not_far_ahead() -> None:
    """What has been fetched and not been taken is held in memory."""
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


def test_own_objects_are_read_by_the_name_alone_where_versions_are_kept(world: World) -> None:
    """s3:GetObject covers no version, and no role may read versions of contents."""
    keep_versions(world)
    world.bucket.put("contents", b"once")
    assert world.bucket.pin("contents").version is None
    assert pin(world.bucket.name, "contents").version
    delete_versions(world)


def test_a_version_that_was_asked_for_is_the_one_that_is_pinned(world: World) -> None:
    """ "null" is the version from before versioning; it stays apart from what is written after it."""
    answers = {"ContentLength": 3, "ETag": '"e"', "VersionId": "null"}
    with Stubber(objects._client()) as stubbed:
        for version in ("null", None):
            wanted = {"Bucket": "b", "Key": "k"} | ({"VersionId": version} if version else {})
            stubbed.add_response("head_object", answers, wanted)
        assert pin("b", "k", "null").version == "null"
        assert pin("b", "k").version is None


def test_a_delete_marker_is_unreachable(world: World) -> None:
    keep_versions(world)
    world.bucket.put("deleted", b"once")
    world.bucket.delete(["deleted"])
    s3 = boto3.client("s3")
    (marker,) = s3.list_object_versions(Bucket=world.bucket.name)["DeleteMarkers"]
    for version in (None, marker["VersionId"]):
        with pytest.raises(ObjectUnreachableError, match="/deleted cannot be read"):
            pin(world.bucket.name, "deleted", version)
    delete_versions(world)
