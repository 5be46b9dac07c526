"""What a call does to the table, by the service's own code, with what its caller has read before."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.wishes import COPIES, PROJECT, Call, contents
from tests.workflow.world import NOW, any_dataset
from twofold.errors import ResourceAlreadyExistsException
from twofold.records import SETTLED, Dataset, DatasetId, DatasetType, Operation, Status
from twofold.stores.table import Table, deletion, history, operations, projects, released
from twofold.stores.table.history import Remembered
from twofold.stores.table.released import Note


@dataclass(frozen=True)
class Seen:
    """The project's datasets, the copies of them that another project has, and operations under way."""

    datasets: Mapping[DatasetType, Dataset]
    copies: Mapping[DatasetType, Dataset]
    active: list[Operation]

    def everything(self) -> list[Dataset]:
        return [*self.datasets.values(), *self.copies.values()]


@dataclass(frozen=True)
class Past:
    """What a revert reads: the last distribution, the datasets, and the note of what the training dataset would get back."""

    last: Remembered | None
    datasets: Mapping[DatasetId, Dataset]
    kept: Note | None


def look(table: Table) -> Seen:
    found = (_datasets(table, name) for name in (PROJECT, COPIES))
    datasets, copies = ({one.id.type: one for one in slots.values()} for slots in found)
    return Seen(datasets, copies, operations.active(table))


def look_back(table: Table) -> Past:
    project = projects.find(table, PROJECT)
    assert project
    kept = released.find(table, contents().folder)
    return Past(history.last(table, project), _datasets(table, PROJECT), kept)


def _datasets(table: Table, name: str) -> dict[DatasetId, Dataset]:
    project = projects.find(table, name)
    return projects.find_datasets(table, project.datasets()) if project else {}


def call(table: Table, wanted: Call, who: int, seen: Seen, operation: Operation | None) -> bool:
    """As the API does; False if it refuses. What claims nothing is done with this."""
    train, copy = seen.datasets.get(DatasetType.TRAIN), seen.copies.get(DatasetType.TRAIN)
    match wanted:
        case Call.DELETE:
            return _delete(table, train)
        case Call.DISCARD:
            return _delete(table, copy)
        case Call.COPY:
            return _copy(table, train, who)
        case Call.CREATE:
            return operation is not None and _create(table, operation)
        case _:
            return operation is not None and _claim(table, operation, seen)


def _delete(table: Table, dataset: Dataset | None) -> bool:
    deletable = dataset is not None and dataset.status in deletion.DELETABLE
    return bool(deletable and dataset and deletion.delete_dataset(table, dataset, NOW))


def _copy(table: Table, source: Dataset | None, who: int) -> bool:
    if source is None or source.status not in SETTLED:
        return False
    copy = any_dataset(COPIES, DatasetType.TEST, Status.CREATE_COMPLETE)
    identity = copy.id.model_copy(update={"created": NOW + who})
    shared = copy.model_copy(update={"id": identity, "contents": source.contents})
    return _put(table, shared, None)


def _create(table: Table, operation: Operation) -> bool:
    dataset = any_dataset(PROJECT, DatasetType.TRAIN, Status.CREATE_IN_PROGRESS)
    named = {"id": operation.datasets[0], "operation": operation.id}
    return _put(table, dataset.model_copy(update=named), operation)


def _put(table: Table, dataset: Dataset, operation: Operation | None) -> bool:
    try:
        operations.create(table, dataset, operation)
    except ResourceAlreadyExistsException:
        return False
    return True


def _claim(table: Table, operation: Operation, seen: Seen) -> bool:
    claimed = [one for one in seen.datasets.values() if one.id in operation.datasets]
    return operations.claim(table, operation, claimed, NOW)


def revert(table: Table, past: Past) -> bool:
    """As the API does; that the contents are still there its caller has seen since it read the note of them."""
    last, kept = past.last, past.kept
    if last is None or last.reverted is not None or (kept and kept.collecting):
        return False
    done = last.distribution
    for dataset, after in zip(done.datasets, done.after, strict=True):
        now = past.datasets.get(dataset)
        if now is None or now.status not in SETTLED or now.contents != after:
            return False
    return history.revert(table, done, kept, "", NOW)
