"""Ingest: a manifest becomes a dataset's contents, or the dataset says why not."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.any_manifests import BYTE_ORDER_MARK, bare_line, box_line, class_line, files
from tests.workflow.world import LIMITS, NOW, World, any_manifest
from twofold.errors import ConservationError, OperationRefused
from twofold.manifest import shards
from twofold.manifest.identity import reading
from twofold.manifest.index import Index
from twofold.manifest.pieces import index_lines
from twofold.manifest.reader import lines_of_range
from twofold.manifest.resolve import Resolution, resolve
from twofold.quotas import limits
from twofold.records import Operation, Status, StatusCode
from twofold.settings import Quotas
from twofold.stores import objects
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import SourceChangedError
from twofold.stores.table import operations
from twofold.workflow import carving, end, ingest
from twofold.workflow.orders import Failure

Json = dict[str, Any]


def resolved(manifest: bytes) -> Resolution:
    return resolve([index_lines(lines_of_range([manifest], 0, len(manifest)))], reading(manifest))


def manifest_of(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def entries(count: int, first: int = 0) -> list[bytes]:
    return [bare_line(str(number)) for number in range(first, first + count)]


def require_ingested(world: World, manifest: bytes) -> None:
    found = world.ingested(manifest)
    whole = resolved(manifest)
    places = zip(whole.start.tolist(), whole.length.tolist(), whole.side.tolist(), strict=True)
    lines = [(manifest[start : start + length], side) for start, length, side in places]
    assert found.status is Status.CREATE_COMPLETE
    assert found.contents is not None
    assert world.manifest(found.id) == manifest_of(*(line for line, side in lines if side == 0))
    assert world.index_of(found.id).encode() == whole.index.encode()
    assert found.contents.digest == f"{whole.digest:016x}"
    stored = ContentsKeys(found.contents.folder)
    dropped = manifest_of(*(line for line, side in lines if side == 1))
    assert (world.bucket.get(stored.rejected_lines) if dropped else b"") == dropped
    if whole.rejected:
        told = [json.loads(line) for line in world.bucket.get(stored.rejected_reasons).splitlines()]
        assert [(one["line"], one["reason"], one["detail"]) for one in told] == [
            (one.line, one.reason.value, one.detail) for one in whole.rejected_lines()
        ]
        assert f"{whole.rejected} of {whole.lines} lines were dropped" in found.status_message


@pytest.mark.usefixtures("small")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files(st.lists(st.sampled_from(entries(60)), min_size=30, max_size=80, unique=True)))
def test_a_manifest_read_in_many_ranges_is_the_same_as_read_in_one(
    world: World, manifest: bytes
) -> None:
    require_ingested(world, manifest)


@pytest.mark.usefixtures("small")
def test_dropped_lines_are_kept_beside_the_manifest_with_their_reasons(world: World) -> None:
    good = entries(60) + [box_line(f"box{n}", "owl", "emu") for n in range(10)]
    bad = [b"{}", b"", b"  ", good[3], class_line("0", "owl"), b"[]", b'{"source-ref": 1}']
    lines = [line for pair in zip(good, [*bad, *good], strict=False) for line in pair]
    manifest = manifest_of(*dict.fromkeys(lines), *bad)
    require_ingested(world, manifest)


@pytest.mark.usefixtures("small")
def test_carriage_returns_and_a_byte_order_mark_are_left_behind(world: World) -> None:
    require_ingested(world, BYTE_ORDER_MARK + b"\r\n".join(entries(60)))


def test_an_over_long_line_that_spans_many_ranges_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "RANGE_BYTES", 60_000)
    monkeypatch.setattr(objects, "CHUNK_BYTES", 20_000)
    require_ingested(world, manifest_of(*entries(5), b"x" * 450_000, *entries(5, first=5)))


def test_real_manifests_are_taken_in(world: World) -> None:
    """The example, and those of TWOFOLD_MANIFESTS; also those that the service must refuse: then the reason is the share of
    dropped lines."""
    example = Path(__file__).parents[2] / "local" / "example.manifest"
    folder = os.environ.get("TWOFOLD_MANIFESTS")
    for path in [example, *(sorted(Path(folder).glob("*.manifest")) if folder else [])]:
        manifest = path.read_bytes()
        whole = resolved(manifest)
        if whole.rejected * 5 > whole.lines or len(whole.buckets) > 1:
            with pytest.raises(OperationRefused):
                world.resolve(world.begin_ingest(manifest))
        else:
            require_ingested(world, manifest)


def test_a_manifest_with_one_dropped_line_in_five_is_taken_in(world: World) -> None:
    require_ingested(world, manifest_of(*entries(8), b"broken", b"broken"))


def test_a_manifest_with_more_dropped_lines_than_one_in_five_is_refused(world: World) -> None:
    operation = world.begin_ingest(manifest_of(b"broken", *entries(8), b"", bare_line("3")))
    with pytest.raises(OperationRefused) as refused:
        world.resolve(operation)
    assert str(refused.value).startswith(
        "The manifest file has too many terminal errors. 3 of 11 lines were dropped: line 1:"
    )
    assert "line 11: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 5." in str(
        refused.value
    )


TIGHT = replace(LIMITS, manifest_bytes=10_000, manifest_lines=4, labels=2)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "The manifest file is empty."),
        (b"x" * 10_001, "The manifest file size exceeds the maximum supported size."),
        (b"\n" * 3, "3 of 3 lines were dropped: line 1: ERROR_INVALID_JSON_LINE"),
        (BYTE_ORDER_MARK, "1 of 1 line was dropped"),
        (manifest_of(*entries(5)), "The manifest file has too many rows."),
        (
            manifest_of(class_line("a", "owl", "emu"), class_line("b", "jay")),
            "The manifest file has too many labels.",
        ),
        (
            manifest_of(b'{"source-ref":"s3://one/k"}', b'{"source-ref":"s3://two/k"}'),
            "The manifest file contains images from multiple S3 buckets.",
        ),
    ],
)
def test_a_manifest_that_cannot_be_a_dataset_is_refused_with_the_reason(
    world: World, manifest: bytes, said: str
) -> None:
    operation = world.begin_ingest(manifest)
    with pytest.raises(OperationRefused) as refused:
        world.resolve(operation, TIGHT)
    assert said in str(refused.value)
    failure = Failure(error="OperationRefused", cause=json.dumps({"errorMessage": said}))
    end.abandon(world.table, operation, failure, NOW)
    found = world.dataset(operation.datasets[0])
    assert (found.status, found.status_message_code) == (
        Status.CREATE_FAILED,
        StatusCode.CLIENT_ERROR,
    )
    assert found.status_message == said
    assert found.contents is None


@pytest.mark.parametrize(("count", "taken"), [(250, True), (251, False)])
def test_rekognitions_quota_of_labels_is_exact(world: World, count: int, taken: bool) -> None:
    manifest = manifest_of(*(class_line(str(n), f"label {n}") for n in range(count)))
    operation = world.begin_ingest(manifest)
    if taken:
        world.resolve(operation, limits(Quotas.REKOGNITION))
    else:
        with pytest.raises(OperationRefused, match="too many labels"):
            world.resolve(operation, limits(Quotas.REKOGNITION))


def test_labels_that_only_duplicates_have_do_not_count(world: World) -> None:
    lines = [class_line(str(n), "owl") for n in range(4)]
    operation = world.begin_ingest(manifest_of(*lines, class_line("0", "emu", "jay", "kea")))
    world.resolve(operation, replace(LIMITS, labels=1))


@pytest.mark.usefixtures("small")
def test_a_range_whose_worker_failed_fails_the_ingest(world: World) -> None:
    operation = world.begin_ingest(any_manifest(30))
    found = world.index(operation)
    piece = world.keys(f"scratch/{operation.id}/index/")[1]
    world.delete(piece)
    with pytest.raises(ConservationError, match="A range was not indexed"):
        ingest.resolve_pieces(world.bucket, operation, found, LIMITS)


def replaced(world: World, operation: Operation) -> None:
    assert operation.source is not None
    world.bucket.put(operation.source.key, any_manifest(30, seed=1))


@pytest.mark.usefixtures("small")
def test_a_source_that_changes_while_it_is_read_is_not_taken_in(world: World) -> None:
    operation = world.begin_ingest(any_manifest(30))
    carve = world.resolve(operation)
    replaced(world, operation)
    with pytest.raises(SourceChangedError):
        world.index(operation)
    with pytest.raises(SourceChangedError):
        world.move(operation, carve)
    with pytest.raises(SourceChangedError):
        world.publish(operation, carve)


@pytest.mark.usefixtures("small")
def test_resolve_says_that_the_source_changed_when_that_is_why_a_range_is_missing(
    world: World,
) -> None:
    operation = world.begin_ingest(any_manifest(30))
    found = world.index(operation)
    world.delete(world.keys(f"scratch/{operation.id}/index/")[0])
    replaced(world, operation)
    with pytest.raises(SourceChangedError):
        ingest.resolve_pieces(world.bucket, operation, found, LIMITS)


def test_an_ingest_that_was_abandoned_leaves_no_contents(world: World) -> None:
    operation = world.begin_ingest(any_manifest(10))
    carve = world.resolve(operation)
    world.move(operation, carve)
    end.abandon(world.table, operation, Failure(error="States.Timeout"), NOW)
    world.publish(operation, carve)
    found = world.dataset(operation.datasets[0])
    assert (found.status, found.contents) == (Status.CREATE_FAILED, None)
    assert "(States.Timeout)" in found.status_message
    assert operations.active(world.table) == []


def wide_line(number: int) -> bytes:
    """About 40 kB."""
    return json.dumps({"source-ref": f"s3://images/{number}", "note": "x" * 40_000}).encode()


@pytest.mark.parametrize(("shard_mib", "parts", "joins"), [(6, {1}, 1), (11, {1, 2}, 0)])
def test_real_sizes_make_an_upload_that_s3_accepts(
    world: World, monkeypatch: pytest.MonkeyPatch, shard_mib: int, parts: set[int], joins: int
) -> None:
    """S3's own minimum of 5 MiB, enforced by moto: with a piece that must be joined, and with a piece in two parts."""
    monkeypatch.setattr(carving, "cut", partial(shards.cut, shard_bytes=shard_mib << 20))
    monkeypatch.setattr(shards, "PART_BYTES", 5 << 20)
    monkeypatch.setattr(ingest, "RANGE_BYTES", 5 << 20)
    lines = [wide_line(number) for number in range(720)]
    broken = [line[:-1] for line in lines[100:200]]
    manifest = manifest_of(*lines[:100], *broken, *lines[100:])
    operation = world.begin_ingest(manifest)
    carve = world.resolve(operation)
    kept, dropped = world.assembly(carve).sides
    assert kept.upload
    assert len(kept.joins) == joins
    assert {piece.parts for shard in world.shards(carve) for piece in shard.pieces} == parts
    world.move(operation, carve)
    world.publish(operation, carve)
    assert world.manifest(operation.datasets[0]) == manifest_of(*lines)
    assert world.bucket.get(dropped.key) == manifest_of(*broken)


def test_the_index_of_a_part_of_a_label_set_is_stored_small(world: World) -> None:
    found = world.ingested(manifest_of(*(class_line(str(n), "owl") for n in range(1000))))
    assert found.contents is not None
    stored = world.bucket.get(ContentsKeys(found.contents.folder).index)
    header_and_padding = 1_100
    assert len(stored) < 21 * 1000 + header_and_padding
    assert len(Index.decode(stored)) == 1000
