"""Claims: a single operation changes a dataset, and each operation ends once."""

from itertools import permutations

import pytest

from tests.support.workflow_harness import (
    NOW,
    WorkflowHarness,
    make_dataset,
    make_distribution,
    make_manifest,
)
from twofold.errors import (
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from twofold.records import (
    Contents,
    Dataset,
    DatasetStatus,
    DatasetType,
    Operation,
    Project,
    StatusMessageCode,
)
from twofold.stores.table import (
    ConditionFailedError,
    Table,
    operations,
    projects,
)


@pytest.fixture
def pair(harness: WorkflowHarness) -> tuple[Dataset, Dataset]:
    """A training dataset with contents and an empty test dataset."""
    train = harness.ingest(make_manifest(6))
    return train, harness.create_empty_dataset(train.id.project)


def make_contents(folder: str) -> Contents:
    return Contents(
        folder=folder,
        entries=1,
        bytes=1,
        digest="0",
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )


def test_only_one_of_several_claims_on_the_same_datasets_succeeds(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset]
) -> None:
    rivals = [make_distribution(*pair) for _ in range(6)]
    results = [operations.claim(harness.table, rival, pair, NOW) for rival in rivals]
    assert results.count(True) == 1
    (active,) = operations.list_active(harness.table)
    assert active == rivals[results.index(True)]
    for dataset in pair:
        stored = harness.find_dataset(dataset.id)
        assert (stored.status, stored.operation) == (DatasetStatus.UPDATE_IN_PROGRESS, active.id)
        assert stored.contents == dataset.contents


def test_a_claim_fails_as_a_whole_if_one_dataset_is_busy(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset]
) -> None:
    train, test = pair
    assert operations.claim(harness.table, make_distribution(*pair), [test], NOW)
    assert not operations.claim(harness.table, make_distribution(*pair), pair, NOW)
    assert harness.find_dataset(train.id) == train
    assert len(operations.list_active(harness.table)) == 1


@pytest.mark.parametrize("position", [0, 1])
def test_a_claim_on_changed_contents_fails(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset], position: int
) -> None:
    changed = pair[position].id
    other = make_distribution(*pair)
    assert operations.claim(harness.table, other, [pair[position]], NOW)
    lone = other.model_copy(update={"before": None, "datasets": (changed,)})
    assert operations.publish(harness.table, lone, {changed: make_contents("new")}, "", NOW)
    before = [harness.find_dataset(dataset.id) for dataset in pair]
    assert not operations.claim(harness.table, make_distribution(*pair), pair, NOW)
    assert [harness.find_dataset(dataset.id) for dataset in pair] == before


def claim_pair(harness: WorkflowHarness, pair: tuple[Dataset, Dataset]) -> Operation:
    operation = make_distribution(*pair)
    assert operations.claim(harness.table, operation, pair, NOW)
    return operation


def publish(table: Table, operation: Operation, folder: str) -> bool:
    train, test = operation.datasets
    new = {train: make_contents(f"{folder}/train"), test: make_contents(f"{folder}/test")}
    return operations.publish(table, operation, new, folder, NOW + 1)


def abandon(table: Table, operation: Operation) -> bool:
    return operations.abandon(
        table, operation, "abandoned", StatusMessageCode.SERVICE_ERROR, NOW + 1
    )


@pytest.mark.parametrize("order", list(permutations(["one", "two", "abandoned"])))
def test_an_operation_ends_once(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset], order: tuple[str, ...]
) -> None:
    operation = claim_pair(harness, pair)
    ended = [
        abandon(harness.table, operation)
        if how == "abandoned"
        else publish(harness.table, operation, how)
        for how in order
    ]
    assert ended == [True, False, False]
    assert {harness.find_dataset(dataset.id).status_message for dataset in pair} == {order[0]}
    assert operations.list_active(harness.table) == []


def test_both_pointers_change_in_one_transaction(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset]
) -> None:
    operation = claim_pair(harness, pair)
    assert publish(harness.table, operation, "new")
    for dataset in pair:
        stored = harness.find_dataset(dataset.id)
        assert (stored.status, stored.status_message) == (DatasetStatus.UPDATE_COMPLETE, "new")
        assert stored.contents == make_contents(f"new/{dataset.id.type.lower()}")
        assert stored.updated == NOW + 1


def test_an_older_operation_cannot_end_a_newer_one(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset]
) -> None:
    old = claim_pair(harness, pair)
    assert abandon(harness.table, old)
    new = make_distribution(*(harness.find_dataset(dataset.id) for dataset in pair))
    assert operations.claim(harness.table, new, pair, NOW)
    assert not publish(harness.table, old, "old")
    assert not abandon(harness.table, old)
    assert operations.list_active(harness.table) == [new]
    harness.table.transact([operations.build_operation_put(harness.table, old)])
    assert not publish(harness.table, old, "old")
    assert not abandon(harness.table, old)
    assert publish(harness.table, new, "new")


def test_a_failed_update_can_be_retried(
    harness: WorkflowHarness, pair: tuple[Dataset, Dataset]
) -> None:
    operation = claim_pair(harness, pair)
    assert abandon(harness.table, operation)
    train, test = (harness.find_dataset(dataset.id) for dataset in pair)
    assert (train.status, train.contents) == (DatasetStatus.UPDATE_FAILED, pair[0].contents)
    assert operations.claim(harness.table, make_distribution(train, test), (train, test), NOW)


def test_only_one_of_several_datasets_fills_a_slot(harness: WorkflowHarness) -> None:
    project = harness.create_project()
    datasets = [
        make_dataset(project, DatasetType.TRAIN, DatasetStatus.CREATE_COMPLETE) for _ in range(4)
    ]
    datasets = [
        dataset.model_copy(update={"id": dataset.id.model_copy(update={"created": NOW + turn})})
        for turn, dataset in enumerate(datasets)
    ]

    operations.create(harness.table, datasets[0], None)
    for late in datasets[1:]:
        with pytest.raises(ResourceAlreadyExistsException, match="already has a TRAIN dataset"):
            operations.create(harness.table, late, None)
        assert projects.find_dataset(harness.table, late.id) is None
    stored = projects.find(harness.table, project)
    assert stored is not None
    assert stored.list_datasets() == (datasets[0].id,)


def test_a_dataset_needs_its_project(harness: WorkflowHarness) -> None:
    with pytest.raises(ResourceNotFoundException, match="'nowhere' does not exist"):
        harness.create_empty_dataset("nowhere")


def test_a_retracted_ingest_leaves_the_slot_free(harness: WorkflowHarness) -> None:
    project = harness.create_project()
    operation = harness.claim_ingest(make_manifest(1), project)
    assert operations.retract(harness.table, operation, NOW)
    assert not operations.retract(harness.table, operation, NOW)
    assert projects.find_dataset(harness.table, operation.datasets[0]) is None
    assert operations.list_active(harness.table) == []
    harness.create_empty_dataset(project, DatasetType.TRAIN)


def test_a_retracted_ingest_cannot_be_published_and_a_published_one_not_retracted(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_ingest(make_manifest(1))
    plan = harness.resolve_ranges(operation)
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    assert not operations.retract(harness.table, operation, NOW)
    assert harness.find_dataset(operation.datasets[0]).status is DatasetStatus.CREATE_COMPLETE


def test_a_project_name_is_unique(harness: WorkflowHarness) -> None:
    name = harness.create_project()
    with pytest.raises(ResourceInUseException, match=f"A project named '{name}' exists already"):
        projects.create(harness.table, Project(name=name, created=NOW + 5))
    assert [
        project for _, project in projects.list_catalogue(harness.table, after="", limit=10)
    ] == [name]


def test_a_later_project_of_the_same_name_is_another_project(
    harness: WorkflowHarness,
) -> None:
    """A later project of the same name may have another owner, so slots and tags must not change."""
    name = harness.create_project()
    former = projects.find(harness.table, name)
    assert former
    projects.delete_project(harness.table, former)
    projects.create(harness.table, Project(name=name, created=NOW + 5))
    dataset = make_dataset(name, DatasetType.TRAIN, DatasetStatus.CREATE_COMPLETE)
    with pytest.raises(ResourceNotFoundException, match=f"The project '{name}' does not exist"):
        operations.create(harness.table, dataset, None, former)
    assert not projects.replace_tags(harness.table, former, {"twofold:test-fraction": "1/2"})
    current = projects.find(harness.table, name)
    assert current == Project(name=name, created=NOW + 5)
    operations.create(harness.table, dataset, None, current)
    assert projects.replace_tags(harness.table, current, {"a": "b"})


def test_the_catalogue_is_ordered_by_creation_and_paged(harness: WorkflowHarness) -> None:
    for turn in (3, 1, 2, 0):
        projects.create(harness.table, Project(name=f"p{turn}", created=NOW + turn * 10**9))
    first = projects.list_catalogue(harness.table, after="", limit=3)
    second = projects.list_catalogue(harness.table, after=first[-1][0], limit=3)
    assert [name for _, name in first + second] == ["p0", "p1", "p2", "p3"]
    stored = projects.find_many(harness.table, ["p2", "none", "p0"])
    assert [project.name for project in stored] == ["p2", "p0"]


def test_all_pages_of_active_operations_are_read(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch, pair: tuple[Dataset, Dataset]
) -> None:
    active = [make_distribution(*pair) for _ in range(30)]
    harness.table.transact(
        [operations.build_operation_put(harness.table, operation) for operation in active]
    )
    monkeypatch.setattr(Table.query_all, "__defaults__", (7,))
    assert {operation.id for operation in operations.list_active(harness.table)} == {
        operation.id for operation in active
    }


def test_all_batches_of_items_are_read(harness: WorkflowHarness) -> None:
    keys = [("p", f"{number:03d}") for number in range(250)]
    for batch in range(0, 250, 100):
        harness.table.transact(
            [harness.table.build_put({"pk": pk, "sk": sk}) for pk, sk in keys[batch : batch + 100]]
        )
    assert set(harness.table.get_many([*keys, *keys, ("p", "none")])) == set(keys)


def test_a_transaction_reports_its_failed_writes(harness: WorkflowHarness) -> None:
    table = harness.table
    table.transact([table.build_put({"pk": "a", "sk": "1"})])
    with pytest.raises(ConditionFailedError) as failed:
        table.transact(
            [table.build_put({"pk": "a", "sk": "0"}), table.build_put({"pk": "a", "sk": "1"})]
        )
    assert failed.value.failed == (1,)
    assert table.get("a", "0") is None
