"""Ingest: a manifest becomes the contents of a dataset, or the dataset has the reason in the status message."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.manifest_files import (
    BYTE_ORDER_MARK,
    draw_file,
    make_bare_line,
    make_box_file_line,
    make_class_file_line,
)
from tests.support.workflow_harness import LIMITS, NOW, WorkflowHarness, make_manifest
from twofold.errors import ConservationError, OperationRefused
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import Resolution, join_ranges
from twofold.manifest.line.byte_ranges import read_lines
from twofold.manifest.transfer import shards
from twofold.quotas import get_quotas
from twofold.records import DatasetStatus, Operation, StatusMessageCode
from twofold.settings import QuotaProfile
from twofold.stores import objects
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import SourceChangedError
from twofold.stores.table import operations
from twofold.workflow import plan_transfer
from twofold.workflow.abandon import abandon
from twofold.workflow.messages import Failure
from twofold.workflow.resolve import resolve_ranges

Json = dict[str, Any]


def resolve_in_one_range(manifest: bytes) -> Resolution:
    return join_ranges(
        [index_lines(read_lines([manifest], 0, len(manifest)))], make_line_reader(manifest)
    )


def join_lines(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def make_lines(count: int, first: int = 0) -> list[bytes]:
    return [make_bare_line(str(number)) for number in range(first, first + count)]


def check_ingest(harness: WorkflowHarness, manifest: bytes) -> None:
    dataset = harness.ingest(manifest)
    whole = resolve_in_one_range(manifest)
    spans = zip(whole.start.tolist(), whole.length.tolist(), whole.side.tolist(), strict=True)
    lines = [(manifest[start : start + length], side) for start, length, side in spans]
    assert dataset.status is DatasetStatus.CREATE_COMPLETE
    assert dataset.contents is not None
    assert harness.read_manifest(dataset.id) == join_lines(
        *(line for line, side in lines if side == 0)
    )
    assert harness.read_index(dataset.id).encode() == whole.index.encode()
    assert dataset.contents.digest == f"{whole.digest:016x}"
    keys = ContentsKeys(dataset.contents.folder)
    rejected = join_lines(*(line for line, side in lines if side == 1))
    assert (harness.bucket.get(keys.rejected_lines) if rejected else b"") == rejected
    if whole.rejected:
        reasons = [
            json.loads(line) for line in harness.bucket.get(keys.rejected_reasons).splitlines()
        ]
        assert [(reason["line"], reason["reason"], reason["detail"]) for reason in reasons] == [
            (line.line, line.reason.value, line.detail) for line in whole.iterate_rejected_lines()
        ]
        assert f"{whole.rejected} of {whole.lines} lines were dropped" in dataset.status_message


@pytest.mark.usefixtures("small_sizes")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(draw_file(st.lists(st.sampled_from(make_lines(60)), min_size=30, max_size=80, unique=True)))
def test_a_manifest_read_in_many_ranges_is_the_same_as_read_in_one(
    harness: WorkflowHarness, manifest: bytes
) -> None:
    check_ingest(harness, manifest)


@pytest.mark.usefixtures("small_sizes")
def test_rejected_lines_are_stored_with_their_reasons(
    harness: WorkflowHarness,
) -> None:
    good = make_lines(60) + [make_box_file_line(f"box{n}", "owl", "emu") for n in range(10)]
    bad = [
        b"{}",
        b"",
        b"  ",
        good[3],
        make_class_file_line("0", "owl"),
        b"[]",
        b'{"source-ref": 1}',
    ]
    lines = [line for pair in zip(good, [*bad, *good], strict=False) for line in pair]
    manifest = join_lines(*dict.fromkeys(lines), *bad)
    check_ingest(harness, manifest)


@pytest.mark.usefixtures("small_sizes")
def test_carriage_returns_and_a_byte_order_mark_are_removed(harness: WorkflowHarness) -> None:
    check_ingest(harness, BYTE_ORDER_MARK + b"\r\n".join(make_lines(60)))


def test_an_oversized_line_in_many_ranges_is_rejected(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.workflow.plan.RANGE_BYTES", 60_000)
    monkeypatch.setattr(objects, "CHUNK_BYTES", 20_000)
    check_ingest(harness, join_lines(*make_lines(5), b"x" * 450_000, *make_lines(5, first=5)))


def test_real_manifests_are_ingested(harness: WorkflowHarness) -> None:
    """Ingest the example and the manifests of TWOFOLD_MANIFESTS. The service refuses manifests with too many rejected lines."""
    example = Path(__file__).parents[2] / "local" / "example.manifest"
    folder = os.environ.get("TWOFOLD_MANIFESTS")
    for path in [example, *(sorted(Path(folder).glob("*.manifest")) if folder else [])]:
        manifest = path.read_bytes()
        whole = resolve_in_one_range(manifest)
        if whole.rejected * 5 > whole.lines or len(whole.buckets) > 1:
            with pytest.raises(OperationRefused):
                harness.resolve_ranges(harness.claim_ingest(manifest))
        else:
            check_ingest(harness, manifest)


def test_a_manifest_with_one_rejected_line_in_five_is_accepted(harness: WorkflowHarness) -> None:
    check_ingest(harness, join_lines(*make_lines(8), b"broken", b"broken"))


def test_a_manifest_with_more_rejected_lines_is_refused(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_ingest(
        join_lines(b"broken", *make_lines(8), b"", make_bare_line("3"))
    )
    with pytest.raises(OperationRefused) as error:
        harness.resolve_ranges(operation)
    assert str(error.value).startswith(
        "The manifest file has too many terminal errors. 3 of 11 lines were dropped: line 1:"
    )
    assert "line 11: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 5." in str(
        error.value
    )


TIGHT = replace(LIMITS, manifest_bytes=10_000, manifest_lines=4, labels=2)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"", "The manifest file is empty."),
        (b"x" * 10_001, "The manifest file size exceeds the maximum supported size."),
        (b"\n" * 3, "3 of 3 lines were dropped: line 1: ERROR_INVALID_JSON_LINE"),
        (BYTE_ORDER_MARK, "1 of 1 line was dropped"),
        (join_lines(*make_lines(5)), "The manifest file has too many rows."),
        (
            join_lines(make_class_file_line("a", "owl", "emu"), make_class_file_line("b", "jay")),
            "The manifest file has too many labels.",
        ),
        (
            join_lines(b'{"source-ref":"s3://one/k"}', b'{"source-ref":"s3://two/k"}'),
            "The manifest file contains images from multiple S3 buckets.",
        ),
    ],
)
def test_a_manifest_that_cannot_be_a_dataset_is_refused_with_the_reason(
    harness: WorkflowHarness, manifest: bytes, message: str
) -> None:
    operation = harness.claim_ingest(manifest)
    with pytest.raises(OperationRefused) as error:
        harness.resolve_ranges(operation, TIGHT)
    assert message in str(error.value)
    failure = Failure(error="OperationRefused", cause=json.dumps({"errorMessage": message}))
    abandon(harness.table, operation, failure, NOW)
    dataset = harness.find_dataset(operation.datasets[0])
    assert (dataset.status, dataset.status_message_code) == (
        DatasetStatus.CREATE_FAILED,
        StatusMessageCode.CLIENT_ERROR,
    )
    assert dataset.status_message == message
    assert dataset.contents is None


@pytest.mark.parametrize(("count", "accepted"), [(250, True), (251, False)])
def test_rekognitions_quota_of_labels_is_exact(
    harness: WorkflowHarness, count: int, accepted: bool
) -> None:
    manifest = join_lines(*(make_class_file_line(str(n), f"label {n}") for n in range(count)))
    operation = harness.claim_ingest(manifest)
    if accepted:
        harness.resolve_ranges(operation, get_quotas(QuotaProfile.REKOGNITION))
    else:
        with pytest.raises(OperationRefused, match="too many labels"):
            harness.resolve_ranges(operation, get_quotas(QuotaProfile.REKOGNITION))


def test_labels_that_only_duplicates_have_do_not_count(harness: WorkflowHarness) -> None:
    lines = [make_class_file_line(str(n), "owl") for n in range(4)]
    operation = harness.claim_ingest(
        join_lines(*lines, make_class_file_line("0", "emu", "jay", "kea"))
    )
    harness.resolve_ranges(operation, replace(LIMITS, labels=1))


@pytest.mark.usefixtures("small_sizes")
def test_a_range_whose_worker_failed_fails_the_ingest(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(30))
    ranges = harness.index_ranges(operation)
    key = harness.list_keys(f"scratch/{operation.id}/index/")[1]
    harness.delete_objects(key)
    with pytest.raises(ConservationError, match="A range was not indexed"):
        resolve_ranges(harness.bucket, operation, ranges, LIMITS)


def replace_source(harness: WorkflowHarness, operation: Operation) -> None:
    assert operation.source is not None
    harness.bucket.put(operation.source.key, make_manifest(30, seed=1))


@pytest.mark.usefixtures("small_sizes")
def test_a_source_that_changes_fails_the_ingest(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(30))
    plan = harness.resolve_ranges(operation)
    replace_source(harness, operation)
    with pytest.raises(SourceChangedError):
        harness.index_ranges(operation)
    with pytest.raises(SourceChangedError):
        harness.move_shards(operation, plan)
    with pytest.raises(SourceChangedError):
        harness.publish(operation, plan)


@pytest.mark.usefixtures("small_sizes")
def test_resolve_reports_a_changed_source_as_the_cause_of_a_missing_range(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_ingest(make_manifest(30))
    ranges = harness.index_ranges(operation)
    harness.delete_objects(harness.list_keys(f"scratch/{operation.id}/index/")[0])
    replace_source(harness, operation)
    with pytest.raises(SourceChangedError):
        resolve_ranges(harness.bucket, operation, ranges, LIMITS)


def test_an_abandoned_ingest_leaves_no_contents(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(10))
    plan = harness.resolve_ranges(operation)
    harness.move_shards(operation, plan)
    abandon(harness.table, operation, Failure(error="States.Timeout"), NOW)
    harness.publish(operation, plan)
    dataset = harness.find_dataset(operation.datasets[0])
    assert (dataset.status, dataset.contents) == (DatasetStatus.CREATE_FAILED, None)
    assert "(States.Timeout)" in dataset.status_message
    assert operations.list_active(harness.table) == []


def make_wide_line(number: int) -> bytes:
    """Return a line of about 40 kB."""
    return json.dumps({"source-ref": f"s3://images/{number}", "note": "x" * 40_000}).encode()


@pytest.mark.parametrize(("shard_mib", "parts", "joins"), [(6, {1}, 1), (11, {1, 2}, 0)])
def test_real_sizes_make_an_upload_that_s3_accepts(
    harness: WorkflowHarness,
    monkeypatch: pytest.MonkeyPatch,
    shard_mib: int,
    parts: set[int],
    joins: int,
) -> None:
    """moto enforces S3's minimum of 5 MiB: with joined parts of shards, and with a shard in two parts."""
    monkeypatch.setattr(
        plan_transfer, "cut_shards", partial(shards.cut_shards, shard_bytes=shard_mib << 20)
    )
    monkeypatch.setattr(shards, "PART_BYTES", 5 << 20)
    monkeypatch.setattr("twofold.workflow.plan.RANGE_BYTES", 5 << 20)
    lines = [make_wide_line(number) for number in range(720)]
    broken = [line[:-1] for line in lines[100:200]]
    manifest = join_lines(*lines[:100], *broken, *lines[100:])
    operation = harness.claim_ingest(manifest)
    plan = harness.resolve_ranges(operation)
    kept, rejected = harness.read_assembly(plan).sides
    assert kept.upload
    assert len(kept.joins) == joins
    assert {part.parts for task in harness.read_move_tasks(plan) for part in task.pieces} == parts
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    assert harness.read_manifest(operation.datasets[0]) == join_lines(*lines)
    assert harness.bucket.get(rejected.key) == join_lines(*broken)


def test_the_index_of_a_part_of_a_label_set_is_stored_small(harness: WorkflowHarness) -> None:
    dataset = harness.ingest(
        join_lines(*(make_class_file_line(str(n), "owl") for n in range(1000)))
    )
    assert dataset.contents is not None
    stored = harness.bucket.get(ContentsKeys(dataset.contents.folder).index)
    header_and_padding = 1_100
    assert len(stored) < 21 * 1000 + header_and_padding
    assert len(DatasetIndex.decode(stored)) == 1000
