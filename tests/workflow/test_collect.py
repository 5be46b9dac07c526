"""Contents that nobody points to are removed after the retention time, and no others."""

from uuid import uuid4

import pytest

from tests.workflow.test_merging import updated
from tests.workflow.world import NOW, World, any_manifest, entry_line
from twofold.records import Dataset, DatasetType, Operation, StatusCode
from twofold.stores.objects import Bucket
from twofold.stores.table import deletion, operations, released
from twofold.workflow.collect import DAY_MILLISECONDS, collect

DAYS = 30
LATER = NOW + DAYS * DAY_MILLISECONDS


def collected(world: World, now: int = LATER + 10_000) -> list[str]:
    return collect(world.table, world.bucket, DAYS, now)


def folder(dataset: Dataset) -> str:
    assert dataset.contents is not None
    return dataset.contents.folder


def copy_of(world: World, dataset: Dataset) -> Dataset:
    copy = dataset.model_copy(
        update={
            "id": dataset.id.model_copy(update={"type": DatasetType.TEST}),
            "operation": None,
        }
    )
    operations.create(world.table, copy, None)
    return copy


def test_contents_in_use_stay(world: World) -> None:
    dataset = world.ingested(any_manifest(3))
    assert collected(world) == []
    assert world.manifest(dataset.id) == any_manifest(3)


def test_what_an_update_left_goes_after_the_retention_time(world: World) -> None:
    before = world.ingested(any_manifest(3))
    after = updated(world, before, entry_line(9, "", "auk"))
    assert collected(world, LATER) == []
    assert len(world.keys(folder(before))) == 2
    assert collected(world) == [folder(before)]
    assert world.keys(folder(before)) == []
    assert len(world.keys(folder(after))) == 2
    assert collected(world) == []


def test_what_a_deleted_dataset_left_goes_with_its_rejected_lines(world: World) -> None:
    dataset = world.ingested(any_manifest(9) + b"broken\n")
    assert len(world.keys(folder(dataset))) == 4
    assert deletion.delete_dataset(world.table, dataset, NOW)
    assert collected(world) == [folder(dataset)]
    assert world.keys(folder(dataset)) == []


def test_contents_stay_as_long_as_a_copy_shares_them(world: World) -> None:
    source = world.ingested(any_manifest(3))
    copy = copy_of(world, source)
    assert deletion.delete_dataset(world.table, source, NOW)
    assert collected(world) == []
    assert world.manifest(copy.id) == any_manifest(3)
    assert deletion.delete_dataset(world.table, copy, LATER)
    assert collected(world) == [], "the copy has left them only now"
    assert collected(world, LATER + DAYS * DAY_MILLISECONDS + 1) == [folder(source)]


def test_what_a_failed_operation_wrote_goes_too(world: World) -> None:
    operation: Operation = world.begin_ingest(any_manifest(3))
    world.resolve(operation)
    assert world.keys("contents/") != []
    operations.abandon(world.table, operation, "", StatusCode.SERVICE_ERROR, NOW)
    (gone,) = collected(world)
    assert operation.id in gone
    assert world.keys("contents/") == []


def test_a_collection_that_broke_off_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = world.ingested(any_manifest(3))
    deletion.delete_dataset(world.table, dataset, NOW)
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            collected(world)
    assert collected(world) == [folder(dataset)]
    assert world.keys(folder(dataset)) == []


def test_a_folder_that_was_left_again_meanwhile_is_not_collected(world: World) -> None:
    source = world.ingested(any_manifest(3))
    deletion.delete_dataset(world.table, source, NOW)
    (stale,) = released.before(world.table, LATER)
    world.table.transact([released.note(world.table, folder(source), LATER)])
    assert not released.hold(world.table, stale)
    assert not released.forget(world.table, stale)
    assert collected(world) == []


def test_many_notes_and_projects_are_all_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "_PAGE", 2)
    kept = [world.ingested(any_manifest(1, seed)) for seed in range(5)]
    names = [f"contents/gone/train-1/{uuid4().hex}" for _ in range(30)]
    for name in [*names, *map(folder, kept)]:
        world.table.transact([released.note(world.table, name, NOW)])
    assert sorted(collected(world)) == sorted(names)
    assert all(world.keys(folder(dataset)) for dataset in kept)
