"""Conservation: a distribution changes both datasets, with every line in exactly one dataset, or nothing."""

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.workflow_harness import NOW, WorkflowHarness, make_manifest
from twofold.errors import ConservationError, DamagedObjectError
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.records import DatasetStatus, Operation
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.stores.objects import SourceChangedError
from twofold.stores.table import operations
from twofold.workflow import publish
from twofold.workflow.abandon import abandon
from twofold.workflow.messages import Failure, TransferPlan

pytestmark = pytest.mark.usefixtures("small_sizes")

Json = dict[str, Any]


@pytest.fixture
def moved_distribution(harness: WorkflowHarness) -> tuple[Operation, TransferPlan]:
    """A distribution whose lines have all been moved, in several shards, with multipart uploads and parts to be joined."""
    operation = harness.claim_distribution(make_manifest(50))
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    assembly = harness.read_assembly(plan)
    assert assembly.shards > 3
    assert all(side.upload for side in assembly.sides)
    assert any(side.joins for side in assembly.sides)
    return operation, plan


def assert_published(harness: WorkflowHarness, operation: Operation, before: bytes) -> None:
    train, test = operation.datasets
    lines = before.splitlines()
    train_lines, test_lines = (
        harness.read_manifest(dataset).splitlines() for dataset in (train, test)
    )
    assert sorted(train_lines + test_lines) == sorted(lines)
    assert [line for line in lines if line in set(train_lines)] == train_lines
    assert [line for line in lines if line in set(test_lines)] == test_lines
    assert len(test_lines) == (2 * len(lines) + 5) // 10
    for dataset, expected in ((train, train_lines), (test, test_lines)):
        dataset_after = harness.find_dataset(dataset)
        assert dataset_after.status is DatasetStatus.UPDATE_COMPLETE
        assert dataset_after.contents is not None
        assert dataset_after.contents.entries == len(expected)
        assert dataset_after.contents.bytes == len(harness.read_manifest(dataset))
        assert harness.read_index(dataset).length.tolist() == [len(line) for line in expected]
    assert operations.list_active(harness.table) == []


def assert_publish_fails(
    harness: WorkflowHarness,
    operation: Operation,
    plan: TransferPlan,
    error: type[Exception] = ConservationError,
) -> None:
    before = harness.read_state(operation)
    with pytest.raises(error):
        harness.publish(operation, plan)
    assert harness.read_state(operation) == before


def test_every_line_is_in_one_of_both_datasets_in_its_order(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    before = harness.read_manifest(operation.datasets[0])
    contents = harness.find_dataset(operation.datasets[0]).contents
    assert contents is not None
    harness.publish(operation, plan)
    assert_published(harness, operation, before)
    halves = [harness.find_dataset(dataset).contents for dataset in operation.datasets]
    total = sum(int(half.digest, 16) for half in halves if half)
    assert f"{total % DIGEST_MODULUS:016x}" == contents.digest


@pytest.mark.parametrize("seed", range(3))
def test_shards_may_be_moved_in_any_order_and_more_than_once(
    harness: WorkflowHarness, seed: int
) -> None:
    manifest = make_manifest(60 + 7 * seed, seed)
    operation = harness.claim_distribution(manifest)
    plan = harness.select_entries(operation)
    shards = list(harness.read_move_tasks(plan)) * 2
    Random(seed).shuffle(shards)
    harness.move_shards(operation, plan, shards)
    harness.publish(operation, plan)
    assert_published(harness, operation, manifest)


def test_the_workflow_may_restart_from_any_state(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, _ = moved_distribution
    before = harness.read_manifest(operation.datasets[0])
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    assert_published(harness, operation, before)


def test_a_missing_record_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    for shard in harness.read_move_tasks(plan):
        key = ScratchKeys(operation.id).build_record_key(shard.number)
        record = harness.bucket.get(key)
        harness.delete_objects(key)
        assert_publish_fails(harness, operation, plan)
        harness.bucket.put(key, record)


def increase_entries(record: Json) -> None:
    record["Sides"][0]["Entries"] += 1


def decrease_bytes(record: Json) -> None:
    record["Sides"][0]["Bytes"] -= 1


def change_digest(record: Json) -> None:
    record["Sides"][0]["Digest"] = f"{int(record['Sides'][0]['Digest'], 16) ^ 1:016x}"


def set_other_shard(record: Json) -> None:
    record["Number"] += 1


def remove_sides(record: Json) -> None:
    record["Sides"] = []


def remove_parts(record: Json) -> None:
    record["Sides"][0]["Parts"] = []


@pytest.mark.parametrize(
    "alter",
    [
        increase_entries,
        decrease_bytes,
        change_digest,
        set_other_shard,
        remove_sides,
        remove_parts,
    ],
)
def test_an_altered_record_changes_nothing(
    harness: WorkflowHarness,
    moved_distribution: tuple[Operation, TransferPlan],
    alter: Callable[[Json], None],
) -> None:
    operation, plan = moved_distribution
    key = ScratchKeys(operation.id).build_record_key(1)
    record = json.loads(sealed.get(harness.bucket, key))
    assert record["Sides"][0]["Parts"]
    alter(record)
    sealed.put(harness.bucket, key, json.dumps(record).encode())
    assert_publish_fails(harness, operation, plan)


def test_the_record_of_another_shard_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    harness.bucket.put(
        ScratchKeys(operation.id).build_record_key(1),
        harness.bucket.get(ScratchKeys(operation.id).build_record_key(2)),
    )
    assert_publish_fails(harness, operation, plan, DamagedObjectError)


def test_a_lost_part_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    for number, side in enumerate(harness.read_assembly(plan).sides):
        for join in side.joins:
            key = ScratchKeys(operation.id).build_output_key(join.shards[-1], number)
            part = harness.bucket.get(key)
            harness.delete_objects(key)
            assert_publish_fails(harness, operation, plan)
            harness.bucket.put(key, part)


def test_a_truncated_part_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    number, side = next(
        (number, side)
        for number, side in enumerate(harness.read_assembly(plan).sides)
        if side.joins
    )
    key = ScratchKeys(operation.id).build_output_key(side.joins[-1].shards[0], number)
    harness.bucket.put(key, harness.bucket.get(key)[:-1])
    assert_publish_fails(harness, operation, plan, DamagedObjectError)


def test_a_lost_object_of_a_small_dataset_changes_nothing(harness: WorkflowHarness) -> None:
    operation = harness.claim_distribution(make_manifest(6))
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    for side in harness.read_assembly(plan).sides:
        assert not side.upload
        written = harness.bucket.get(side.key)
        harness.delete_objects(side.key)
        assert_publish_fails(harness, operation, plan)
        harness.bucket.put(side.key, written)


def test_a_damaged_shard_plan_is_rejected(harness: WorkflowHarness) -> None:
    operation = harness.claim_distribution(make_manifest(40))
    plan = harness.select_entries(operation)
    shard, other, *_ = harness.read_move_tasks(plan)
    shard_plans = bytearray(harness.bucket.get(shard.plan_key))
    shard_plans[shard.plan_offset + shard.plan_size - 1] ^= 1
    harness.bucket.put(shard.plan_key, shard_plans)
    with pytest.raises(DamagedObjectError):
        harness.move_shards(operation, plan, [shard])
    span = {"plan_offset": other.plan_offset, "plan_size": other.plan_size}
    swapped = shard.model_copy(update=span)
    with pytest.raises(DamagedObjectError, match="A message was altered"):
        harness.move_shards(operation, plan, [swapped])
    swapped = swapped.with_seal(operation)
    with pytest.raises(DamagedObjectError, match="not for shard 0"):
        harness.move_shards(operation, plan, [swapped])


def test_the_next_state_detects_a_replaced_manifest(harness: WorkflowHarness) -> None:
    operation = harness.claim_distribution(make_manifest(40))
    plan = harness.select_entries(operation)
    first, *rest = harness.read_move_tasks(plan)
    harness.move_shards(operation, plan, [first])
    harness.bucket.put(plan.source.key, make_manifest(40, seed=1))
    with pytest.raises(SourceChangedError):
        harness.move_shards(operation, plan, rest)
    train = harness.find_dataset(operation.datasets[0])
    with pytest.raises(SourceChangedError):
        harness.publish(operation, plan)
    assert harness.find_dataset(operation.datasets[0]) == train


def test_a_manifest_of_another_size_is_not_distributed(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_distribution(make_manifest(40))
    assert operation.before is not None
    key = ContentsKeys(operation.before.folder).manifest
    harness.bucket.put(key, harness.bucket.get(key) + b"{}\n")
    with pytest.raises(DamagedObjectError, match="bytes; the dataset's manifest had"):
        harness.select_entries(operation)


def test_a_manifest_with_other_lines_of_the_same_lengths_is_not_published(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_distribution(make_manifest(40))
    assert operation.before is not None
    key = ContentsKeys(operation.before.folder).manifest
    harness.bucket.put(key, harness.bucket.get(key).replace(b'"owl"', b'"OWL"', 1))
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    assert_publish_fails(harness, operation, plan)


def test_a_second_publish_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    harness.publish(operation, plan)
    after = harness.read_state(operation)
    harness.publish(operation, plan)
    assert harness.read_state(operation) == after


def test_a_retry_finishes_a_publish_that_failed_before_its_transaction(
    harness: WorkflowHarness,
    moved_distribution: tuple[Operation, TransferPlan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operation, plan = moved_distribution
    before = harness.read_manifest(operation.datasets[0])

    def break_off(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(operations, "publish", break_off)
        assert_publish_fails(harness, operation, plan, TimeoutError)
    harness.publish(operation, plan)
    assert_published(harness, operation, before)


def test_a_worker_that_runs_after_publish_changes_nothing(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    harness.publish(operation, plan)
    after = harness.read_state(operation)
    for shard in harness.read_move_tasks(plan):
        with suppress(ClientError, KeyError):  # KeyError is how moto says NoSuchUpload
            harness.move_shards(operation, plan, [shard])
    assert harness.read_state(operation) == after


def test_an_abandoned_operation_is_not_published(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    train, test = operation.datasets
    contents = harness.find_dataset(train).contents
    abandon(harness.table, operation, Failure(error="ConservationError"), NOW + 1)
    abandoned = harness.read_state(operation)
    assert harness.find_dataset(train).status is DatasetStatus.UPDATE_FAILED
    assert (harness.find_dataset(train).contents, harness.find_dataset(test).contents) == (
        contents,
        None,
    )
    harness.publish(operation, plan)
    assert harness.read_state(operation) == abandoned


def test_a_published_operation_is_not_abandoned(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    harness.publish(operation, plan)
    published = harness.read_state(operation)
    abandon(harness.table, operation, Failure(error="States.Timeout"), NOW + 2)
    assert harness.read_state(operation) == published


def test_an_error_in_the_page_does_not_fail_the_split(
    harness: WorkflowHarness,
    moved_distribution: tuple[Operation, TransferPlan],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(report: dict[str, Any]) -> str:
        statuses = {harness.find_dataset(dataset).status for dataset in operation.datasets}
        assert statuses == {DatasetStatus.UPDATE_COMPLETE}
        raise KeyError("labels")

    monkeypatch.setattr(publish, "render_page", fail)
    operation, plan = moved_distribution
    before = harness.read_manifest(operation.datasets[0])
    harness.publish(operation, plan)
    assert_published(harness, operation, before)
    (report,) = harness.list_keys("reports/")
    assert report.endswith("/report.json")
    assert "KeyError: 'labels'" in capsys.readouterr().out


def test_the_report_says_where_the_entries_are(
    harness: WorkflowHarness, moved_distribution: tuple[Operation, TransferPlan]
) -> None:
    operation, plan = moved_distribution
    harness.publish(operation, plan)
    page, key = sorted(harness.list_keys("reports/"))
    assert (page.endswith("/report.html"), key.endswith("/report.json")) == (True, True)
    assert b"Proven best" in harness.bucket.get(page)
    report = json.loads(harness.bucket.get(key))
    assert report["operation"] == operation.id
    for dataset in operation.datasets:
        told = report["datasets"][dataset.type.lower()]
        manifest = harness.bucket.get(told["manifest"].removeprefix(f"s3://{harness.bucket.name}/"))
        assert manifest == harness.read_manifest(dataset)
        assert (told["entries"], told["bytes"]) == (manifest.count(b"\n"), len(manifest))
