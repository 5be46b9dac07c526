"""Who may change a dataset: one operation at a time, and each of them ends once."""

from itertools import permutations

import pytest

from tests.workflow.world import NOW, World, any_dataset, any_distribution, any_manifest
from twofold.errors import (
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from twofold.records import (
    Contents,
    Dataset,
    DatasetType,
    Operation,
    Project,
    Status,
    StatusCode,
)
from twofold.stores.table import (
    ConditionFailedError,
    Table,
    deletion,
    operations,
    projects,
    tags,
)


@pytest.fixture
def pair(world: World) -> tuple[Dataset, Dataset]:
    """A training dataset with contents and an empty test dataset."""
    train = world.ingested(any_manifest(6))
    return train, world.empty(train.id.project)


def any_contents(folder: str) -> Contents:
    return Contents(
        folder=folder,
        entries=1,
        bytes=1,
        digest="0",
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )


def test_of_claims_on_the_same_datasets_one_wins(
    world: World, pair: tuple[Dataset, Dataset]
) -> None:
    rivals = [any_distribution(*pair) for _ in range(6)]
    won = [operations.claim(world.table, rival, pair, NOW) for rival in rivals]
    assert won.count(True) == 1
    (active,) = operations.active(world.table)
    assert active == rivals[won.index(True)]
    for dataset in pair:
        found = world.dataset(dataset.id)
        assert (found.status, found.operation) == (Status.UPDATE_IN_PROGRESS, active.id)
        assert found.contents == dataset.contents


def test_a_claim_is_lost_as_a_whole_when_one_dataset_is_busy(
    world: World, pair: tuple[Dataset, Dataset]
) -> None:
    train, test = pair
    assert operations.claim(world.table, any_distribution(*pair), [test], NOW)
    assert not operations.claim(world.table, any_distribution(*pair), pair, NOW)
    assert world.dataset(train.id) == train
    assert len(operations.active(world.table)) == 1


@pytest.mark.parametrize("which", [0, 1])
def test_a_claim_on_contents_that_have_changed_since_is_lost(
    world: World, pair: tuple[Dataset, Dataset], which: int
) -> None:
    changed = pair[which].id
    other = any_distribution(*pair)
    assert operations.claim(world.table, other, [pair[which]], NOW)
    lone = other.model_copy(update={"before": None, "datasets": (changed,)})
    assert operations.publish(world.table, lone, {changed: any_contents("new")}, "", NOW)
    before = [world.dataset(dataset.id) for dataset in pair]
    assert not operations.claim(world.table, any_distribution(*pair), pair, NOW)
    assert [world.dataset(dataset.id) for dataset in pair] == before


def claimed(world: World, pair: tuple[Dataset, Dataset]) -> Operation:
    operation = any_distribution(*pair)
    assert operations.claim(world.table, operation, pair, NOW)
    return operation


def publish(table: Table, operation: Operation, folder: str) -> bool:
    train, test = operation.datasets
    new = {train: any_contents(f"{folder}/train"), test: any_contents(f"{folder}/test")}
    return operations.publish(table, operation, new, folder, NOW + 1)


def abandon(table: Table, operation: Operation) -> bool:
    return operations.abandon(table, operation, "abandoned", StatusCode.SERVICE_ERROR, NOW + 1)


@pytest.mark.parametrize("order", list(permutations(["one", "two", "abandoned"])))
def test_an_operation_ends_once_whoever_ends_it(
    world: World, pair: tuple[Dataset, Dataset], order: tuple[str, ...]
) -> None:
    operation = claimed(world, pair)
    ended = [
        abandon(world.table, operation)
        if how == "abandoned"
        else publish(world.table, operation, how)
        for how in order
    ]
    assert ended == [True, False, False]
    assert {world.dataset(dataset.id).status_message for dataset in pair} == {order[0]}
    assert operations.active(world.table) == []


def test_both_pointers_flip_in_one_transaction(world: World, pair: tuple[Dataset, Dataset]) -> None:
    operation = claimed(world, pair)
    assert publish(world.table, operation, "new")
    for dataset in pair:
        found = world.dataset(dataset.id)
        assert (found.status, found.status_message) == (Status.UPDATE_COMPLETE, "new")
        assert found.contents == any_contents(f"new/{dataset.id.type.lower()}")
        assert found.updated == NOW + 1


def test_an_older_operation_cannot_end_a_newer_one(
    world: World, pair: tuple[Dataset, Dataset]
) -> None:
    old = claimed(world, pair)
    assert abandon(world.table, old)
    new = any_distribution(*(world.dataset(dataset.id) for dataset in pair))
    assert operations.claim(world.table, new, pair, NOW)
    assert not publish(world.table, old, "old")
    assert not abandon(world.table, old)
    assert operations.active(world.table) == [new]
    world.table.transact([operations._begin(world.table, old)])
    assert not publish(world.table, old, "old")
    assert not abandon(world.table, old)
    assert publish(world.table, new, "new")


def test_a_failed_update_can_be_tried_again(world: World, pair: tuple[Dataset, Dataset]) -> None:
    operation = claimed(world, pair)
    assert abandon(world.table, operation)
    train, test = (world.dataset(dataset.id) for dataset in pair)
    assert (train.status, train.contents) == (Status.UPDATE_FAILED, pair[0].contents)
    assert operations.claim(world.table, any_distribution(train, test), (train, test), NOW)


def test_of_datasets_created_in_one_slot_one_stays(world: World) -> None:
    project = world.project()
    datasets = [any_dataset(project, DatasetType.TRAIN, Status.CREATE_COMPLETE) for _ in range(4)]
    datasets = [
        dataset.model_copy(update={"id": dataset.id.model_copy(update={"created": NOW + turn})})
        for turn, dataset in enumerate(datasets)
    ]

    operations.create(world.table, datasets[0], None)
    for late in datasets[1:]:
        with pytest.raises(ResourceAlreadyExistsException, match="already has a TRAIN dataset"):
            operations.create(world.table, late, None)
        assert projects.find_dataset(world.table, late.id) is None
    found = projects.find(world.table, project)
    assert found is not None
    assert found.datasets() == (datasets[0].id,)


def test_a_dataset_needs_its_project(world: World) -> None:
    with pytest.raises(ResourceNotFoundException, match="'nowhere' does not exist"):
        world.empty("nowhere")


def test_an_ingest_that_could_not_be_started_leaves_the_slot_free(world: World) -> None:
    project = world.project()
    operation = world.begin_ingest(any_manifest(1), project)
    assert operations.retract(world.table, operation, NOW)
    assert not operations.retract(world.table, operation, NOW)
    assert projects.find_dataset(world.table, operation.datasets[0]) is None
    assert operations.active(world.table) == []
    world.empty(project, DatasetType.TRAIN)


def test_a_retracted_ingest_cannot_be_published_and_a_published_one_not_retracted(
    world: World,
) -> None:
    operation = world.begin_ingest(any_manifest(1))
    carve = world.resolve(operation)
    world.move(operation, carve)
    world.publish(operation, carve)
    assert not operations.retract(world.table, operation, NOW)
    assert world.dataset(operation.datasets[0]).status is Status.CREATE_COMPLETE


def test_the_name_of_a_project_is_taken_once(world: World) -> None:
    name = world.project()
    with pytest.raises(ResourceInUseException, match=f"A project named '{name}' exists already"):
        projects.create(world.table, Project(name=name, created=NOW + 5))
    assert [one for _, one in projects.catalogue(world.table, after="", limit=10)] == [name]


def test_a_project_that_took_the_place_of_another_is_not_taken_for_it(world: World) -> None:
    """It may be of another caller: what was read before is no leave to fill its slot or to change its tags."""
    name = world.project()
    former = projects.find(world.table, name)
    assert former
    deletion.delete_project(world.table, former)
    projects.create(world.table, Project(name=name, created=NOW + 5))
    dataset = any_dataset(name, DatasetType.TRAIN, Status.CREATE_COMPLETE)
    with pytest.raises(ResourceNotFoundException, match=f"The project '{name}' does not exist"):
        operations.create(world.table, dataset, None, former)
    assert not tags.replace(world.table, former, {"twofold:test-fraction": "1/2"})
    current = projects.find(world.table, name)
    assert current == Project(name=name, created=NOW + 5)
    operations.create(world.table, dataset, None, current)
    assert tags.replace(world.table, current, {"a": "b"})


def test_the_catalogue_is_in_order_of_creation_and_comes_in_pages(world: World) -> None:
    for turn in (3, 1, 2, 0):
        projects.create(world.table, Project(name=f"p{turn}", created=NOW + turn * 10**9))
    first = projects.catalogue(world.table, after="", limit=3)
    rest = projects.catalogue(world.table, after=first[-1][0], limit=3)
    assert [name for _, name in first + rest] == ["p0", "p1", "p2", "p3"]
    found = projects.find_many(world.table, ["p2", "none", "p0"])
    assert [project.name for project in found] == ["p2", "p0"]


def test_more_active_operations_than_a_page_are_all_seen(
    world: World, monkeypatch: pytest.MonkeyPatch, pair: tuple[Dataset, Dataset]
) -> None:
    begun = [any_distribution(*pair) for _ in range(30)]
    world.table.transact([operations._begin(world.table, operation) for operation in begun])
    monkeypatch.setattr(Table.query_all, "__defaults__", (7,))
    assert {operation.id for operation in operations.active(world.table)} == {
        operation.id for operation in begun
    }


def test_more_items_than_a_batch_are_all_read(world: World) -> None:
    keys = [("p", f"{number:03d}") for number in range(250)]
    for batch in range(0, 250, 100):
        world.table.transact(
            [world.table.put({"pk": pk, "sk": sk}) for pk, sk in keys[batch : batch + 100]]
        )
    assert set(world.table.get_many([*keys, *keys, ("p", "none")])) == set(keys)


def test_a_transaction_says_which_of_its_writes_failed(world: World) -> None:
    table = world.table
    table.transact([table.put({"pk": "a", "sk": "1"})])
    with pytest.raises(ConditionFailedError) as failed:
        table.transact([table.put({"pk": "a", "sk": "0"}), table.put({"pk": "a", "sk": "1"})])
    assert failed.value.failed == (1,)
    assert table.get("a", "0") is None
