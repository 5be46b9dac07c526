"""Merge: updates in many shards, equal hashes, and failures."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.workflow_harness import (
    LIMITS,
    NOW,
    WorkflowHarness,
    make_entry_line,
    make_manifest,
)
from twofold.errors import ConservationError, OperationRefused
from twofold.manifest.index import range_indexer
from twofold.manifest.index.source_hashes import hash_source_bytes
from twofold.manifest.line.listing import add_service_members
from twofold.quotas import ServiceQuotas
from twofold.records import Dataset, DatasetStatus, DatasetType, Operation, OperationKind
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.stores.table import operations
from twofold.workflow.merge import merge_changes
from twofold.workflow.messages import TransferPlan
from twofold.workflow.move import transfer_shard

shared = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def begin_update(harness: WorkflowHarness, dataset: Dataset, changes: bytes) -> Operation:
    operation = Operation(
        id=uuid4().hex,
        kind=OperationKind.UPDATE,
        datasets=(dataset.id,),
        created=NOW,
        before=dataset.contents,
    )
    sealed.put(harness.bucket, ScratchKeys(operation.id).changes, changes)
    assert operations.claim(harness.table, operation, (dataset,), NOW)
    return operation


def run_merge(
    harness: WorkflowHarness, operation: Operation, quotas: ServiceQuotas = LIMITS
) -> TransferPlan:
    return merge_changes(harness.bucket, operation, quotas)


def run_update(harness: WorkflowHarness, dataset: Dataset, changes: bytes) -> Dataset:
    operation = begin_update(harness, dataset, changes)
    plan = run_merge(harness, operation)
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    return harness.find_dataset(dataset.id)


def read_source_ref(line: bytes) -> bytes:
    return line.split(b'"')[3]


def apply_changes(manifest: bytes, changes: list[bytes]) -> bytes:
    lines = {read_source_ref(line): line for line in manifest.splitlines(keepends=True)}
    return b"".join((lines | {read_source_ref(line): line for line in changes}).values())


def replace_line(manifest: bytes, number: int, label: str) -> bytes:
    """Return a new line for the entry `number` of a manifest."""
    old = read_source_ref(manifest.splitlines()[number]).decode().removeprefix("s3://images/")
    return make_entry_line(number, old.removeprefix(str(number)).removesuffix(".jpg"), label)


@given(
    count=st.integers(0, 30),
    seed=st.integers(0, 9),
    replaced=st.sets(st.integers(0, 29)),
    added=st.integers(0, 9),
    shuffle=st.randoms(use_true_random=False),
)
@shared
def test_an_update_of_many_shards_is_the_update_of_the_lines(
    harness: WorkflowHarness,
    small_sizes: None,
    count: int,
    seed: int,
    replaced: set[int],
    added: int,
    shuffle: object,
) -> None:
    manifest = make_manifest(count, seed)
    project = harness.create_project()
    dataset = (
        harness.ingest(manifest, project)
        if count
        else harness.create_empty_dataset(project, DatasetType.TRAIN)
    )
    changes = [
        replace_line(manifest, number, "roc") for number in sorted(replaced) if number < count
    ]
    changes += [
        make_entry_line(100 + number, "y" * 7 * number, "auk") for number in range(added + 1)
    ]
    shuffle.shuffle(changes)  # type: ignore[attr-defined]
    after = run_update(harness, dataset, b"".join(changes))
    assert after.status is DatasetStatus.UPDATE_COMPLETE
    assert harness.read_manifest(dataset.id) == apply_changes(manifest, changes)
    assert after.contents is not None
    fresh = harness.ingest(apply_changes(manifest, changes)).contents
    assert fresh is not None
    same = {"folder": after.contents.folder, "index_checksum": after.contents.index_checksum}
    assert fresh.model_copy(update=same) == after.contents
    assert (
        harness.read_index(dataset.id).length.sum() + after.contents.entries == after.contents.bytes
    )


def test_an_update_with_listed_lines_changes_no_byte(
    harness: WorkflowHarness, small_sizes: None
) -> None:
    manifest = make_manifest(40)
    dataset = harness.ingest(manifest)
    listed = "".join(f"{add_service_members(line)}\n" for line in manifest.splitlines())
    after = run_update(harness, dataset, listed.encode())
    assert harness.read_manifest(dataset.id) == manifest
    assert dataset.contents is not None
    assert after.contents is not None
    assert after.contents.digest == dataset.contents.digest


def test_images_with_equal_hashes_remain_distinct(
    harness: WorkflowHarness, small_sizes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        range_indexer,
        "hash_source_bytes",
        lambda name: bytes([hash_source_bytes(name)[15] % 3] * 16),
    )
    manifest = make_manifest(30)
    dataset = harness.ingest(manifest)
    changes = [replace_line(manifest, number, "roc") for number in (3, 17)]
    changes += [make_entry_line(200, "", "auk"), make_entry_line(201, "", "auk")]
    run_update(harness, dataset, b"".join(changes))
    assert harness.read_manifest(dataset.id) == apply_changes(manifest, changes)
    second_changes = [make_entry_line(201, "", "kea")]
    run_update(harness, harness.find_dataset(dataset.id), b"".join(second_changes))
    assert harness.read_manifest(dataset.id) == apply_changes(manifest, changes + second_changes)


def test_a_repeated_state_writes_the_same_and_a_second_publish_changes_nothing(
    harness: WorkflowHarness, small_sizes: None
) -> None:
    dataset = harness.ingest(make_manifest(40))
    operation = begin_update(harness, dataset, make_entry_line(7, "new", "auk"))
    first = run_merge(harness, operation)
    shards = harness.read_move_tasks(first)
    assert len(shards) > 2
    harness.move_shards(operation, first, reversed(shards))
    harness.move_shards(operation, first, shards[:2])
    harness.publish(operation, first)
    state = harness.read_state(operation)
    harness.publish(operation, first)
    assert harness.read_state(operation) == state


def test_an_update_with_a_lost_shard_changes_nothing(
    harness: WorkflowHarness, small_sizes: None
) -> None:
    dataset = harness.ingest(make_manifest(40))
    operation = begin_update(harness, dataset, make_entry_line(7, "new", "auk"))
    plan = run_merge(harness, operation)
    for shard in harness.read_move_tasks(plan)[1:]:
        transfer_shard(harness.bucket, operation, plan.source, shard)
    state = harness.read_state(operation)
    with pytest.raises(ConservationError):
        harness.publish(operation, plan)
    assert harness.read_state(operation) == state


def test_rejected_lines_of_an_update_are_stored_with_the_contents(harness: WorkflowHarness) -> None:
    dataset = harness.ingest(make_manifest(3))
    good = b"".join(make_entry_line(100 + number, "", "auk") for number in range(4))
    after = run_update(harness, dataset, good + b"{broken\n")
    assert "1 of 5 lines were dropped: line 5: ERROR_INVALID_JSON_LINE" in after.status_message
    assert after.contents is not None
    keys = ContentsKeys(after.contents.folder)
    assert harness.bucket.get(keys.rejected_lines) == b"{broken\n"
    assert b'"line": 5' in harness.bucket.get(keys.rejected_reasons)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"manifest_lines": 4}, "too many rows"),
        ({"manifest_bytes": 1_000}, "exceeds the maximum supported size"),
        ({"labels": 3}, "too many labels"),
    ],
)
def test_quotas_apply_to_the_updated_dataset(
    harness: WorkflowHarness, bounds: dict[str, int], message: str
) -> None:
    usual = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
    dataset = harness.ingest(make_manifest(4))
    operation = begin_update(harness, dataset, make_entry_line(100, "", "auk"))
    with pytest.raises(OperationRefused, match=message):
        run_merge(harness, operation, ServiceQuotas(**usual | bounds))
