"""Collect: contents without a pointer are deleted after the retention time, and nothing else."""

from uuid import uuid4

import pytest

from tests.support.workflow_harness import NOW, WorkflowHarness, make_entry_line, make_manifest
from tests.workflow.test_merge import run_update
from twofold.records import Dataset, DatasetType, Operation, StatusMessageCode
from twofold.stores.objects import Bucket
from twofold.stores.table import operations, projects, retired
from twofold.workflow.collect import DAY_MILLISECONDS, collect_retired_folders

DAYS = 30
LATER = NOW + DAYS * DAY_MILLISECONDS


def run_collect(harness: WorkflowHarness, now: int = LATER + 10_000) -> list[str]:
    return collect_retired_folders(harness.table, harness.bucket, DAYS, now)


def get_folder(dataset: Dataset) -> str:
    assert dataset.contents is not None
    return dataset.contents.folder


def copy_dataset(harness: WorkflowHarness, dataset: Dataset) -> Dataset:
    copy = dataset.model_copy(
        update={
            "id": dataset.id.model_copy(update={"type": DatasetType.TEST}),
            "operation": None,
        }
    )
    operations.create(harness.table, copy, None)
    return copy


def test_contents_in_use_stay(harness: WorkflowHarness) -> None:
    dataset = harness.ingest(make_manifest(3))
    assert run_collect(harness) == []
    assert harness.read_manifest(dataset.id) == make_manifest(3)


def test_contents_before_an_update_are_deleted_after_the_retention_time(
    harness: WorkflowHarness,
) -> None:
    before = harness.ingest(make_manifest(3))
    after = run_update(harness, before, make_entry_line(9, "", "auk"))
    assert run_collect(harness, LATER) == []
    assert len(harness.list_keys(get_folder(before))) == 2
    assert run_collect(harness) == [get_folder(before)]
    assert harness.list_keys(get_folder(before)) == []
    assert len(harness.list_keys(get_folder(after))) == 2
    assert run_collect(harness) == []


def test_contents_of_a_deleted_dataset_are_deleted_with_their_rejected_lines(
    harness: WorkflowHarness,
) -> None:
    dataset = harness.ingest(make_manifest(9) + b"broken\n")
    assert len(harness.list_keys(get_folder(dataset))) == 4
    assert projects.delete_dataset(harness.table, dataset, NOW)
    assert run_collect(harness) == [get_folder(dataset)]
    assert harness.list_keys(get_folder(dataset)) == []


def test_contents_stay_as_long_as_a_copy_shares_them(harness: WorkflowHarness) -> None:
    source = harness.ingest(make_manifest(3))
    copy = copy_dataset(harness, source)
    assert projects.delete_dataset(harness.table, source, NOW)
    assert run_collect(harness) == []
    assert harness.read_manifest(copy.id) == make_manifest(3)
    assert projects.delete_dataset(harness.table, copy, LATER)
    assert run_collect(harness) == [], "the copy has just released them"
    assert run_collect(harness, LATER + DAYS * DAY_MILLISECONDS + 1) == [get_folder(source)]


def test_objects_of_a_failed_operation_are_deleted(harness: WorkflowHarness) -> None:
    operation: Operation = harness.claim_ingest(make_manifest(3))
    harness.resolve_ranges(operation)
    assert harness.list_keys("contents/") != []
    operations.abandon(harness.table, operation, "", StatusMessageCode.SERVICE_ERROR, NOW)
    (collected,) = run_collect(harness)
    assert operation.id in collected
    assert harness.list_keys("contents/") == []


def test_the_next_run_finishes_an_interrupted_one(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = harness.ingest(make_manifest(3))
    projects.delete_dataset(harness.table, dataset, NOW)
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            run_collect(harness)
    assert run_collect(harness) == [get_folder(dataset)]
    assert harness.list_keys(get_folder(dataset)) == []


def test_a_folder_released_again_is_not_collected(harness: WorkflowHarness) -> None:
    source = harness.ingest(make_manifest(3))
    projects.delete_dataset(harness.table, source, NOW)
    (stale,) = retired.list_retired_before(harness.table, LATER)
    harness.table.transact([retired.build_retirement(harness.table, get_folder(source), LATER)])
    assert not retired.hold_folder(harness.table, stale)
    assert not retired.delete_retirement(harness.table, stale)
    assert run_collect(harness) == []


def test_all_pages_of_notes_and_projects_are_read(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "_PAGE_PROJECTS", 2)
    in_use = [harness.ingest(make_manifest(1, seed)) for seed in range(5)]
    names = [f"contents/gone/train-1/{uuid4().hex}" for _ in range(30)]
    for name in [*names, *map(get_folder, in_use)]:
        harness.table.transact([retired.build_retirement(harness.table, name, NOW)])
    assert sorted(run_collect(harness)) == sorted(names)
    assert all(harness.list_keys(get_folder(dataset)) for dataset in in_use)
