"""The effect of a request on the table, by the service's own code, for a caller with an earlier read."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.requests import COPIES, PROJECT, Request
from tests.support.workflow_harness import NOW, make_dataset
from twofold.errors import ResourceAlreadyExistsException
from twofold.records import (
    READY_STATUSES,
    Dataset,
    DatasetId,
    DatasetStatus,
    DatasetType,
    Operation,
)
from twofold.stores.table import Table, history, operations, projects, retired
from twofold.stores.table.history import HistoryEntry
from twofold.stores.table.retired import Retirement


@dataclass(frozen=True)
class ProjectView:
    """The project's datasets, copies in another project, and the active operations."""

    datasets: Mapping[DatasetType, Dataset]
    copies: Mapping[DatasetType, Dataset]
    active: list[Operation]

    def list_all(self) -> list[Dataset]:
        return [*self.datasets.values(), *self.copies.values()]


@dataclass(frozen=True)
class HistoryView:
    """The items read by a revert. `notes` has the retirement of each folder with previous contents."""

    last: HistoryEntry | None
    datasets: Mapping[DatasetId, Dataset]
    notes: Mapping[str, Retirement | None]


def read_project(table: Table) -> ProjectView:
    projects_slots = (_find_datasets(table, name) for name in (PROJECT, COPIES))
    datasets, copies = (
        {dataset.id.type: dataset for dataset in slots.values()} for slots in projects_slots
    )
    return ProjectView(datasets, copies, operations.list_active(table))


def read_history(table: Table) -> HistoryView:
    project = projects.find(table, PROJECT)
    assert project
    last = history.find_last_distribution(table, project)
    previous = (last.distribution.before, last.distribution.test_before) if last else ()
    notes = {
        contents.folder: retired.find_retirement(table, contents.folder)
        for contents in previous
        if contents
    }
    return HistoryView(last, _find_datasets(table, PROJECT), notes)


def _find_datasets(table: Table, name: str) -> dict[DatasetId, Dataset]:
    project = projects.find(table, name)
    return projects.find_datasets(table, project.list_datasets()) if project else {}


def apply_request(
    table: Table, request: Request, caller: int, view: ProjectView, operation: Operation | None
) -> bool:
    """Write as the API does for a request; return False if the API refuses the request."""
    train, copy = view.datasets.get(DatasetType.TRAIN), view.copies.get(DatasetType.TRAIN)
    match request:
        case Request.DELETE:
            return _delete(table, train)
        case Request.DISCARD:
            return _delete(table, copy)
        case Request.COPY:
            return _copy(table, train, caller)
        case Request.CREATE:
            return operation is not None and _create(table, operation)
        case _:
            return operation is not None and _claim(table, operation, view)


def _delete(table: Table, dataset: Dataset | None) -> bool:
    deletable = dataset is not None and dataset.status in projects.DELETABLE_STATUSES
    return bool(deletable and dataset and projects.delete_dataset(table, dataset, NOW))


def _copy(table: Table, source: Dataset | None, caller: int) -> bool:
    if source is None or source.status not in READY_STATUSES:
        return False
    copy = make_dataset(COPIES, DatasetType.TEST, DatasetStatus.CREATE_COMPLETE)
    identity = copy.id.model_copy(update={"created": NOW + caller})
    shared = copy.model_copy(update={"id": identity, "contents": source.contents})
    return _put(table, shared, None)


def _create(table: Table, operation: Operation) -> bool:
    dataset = make_dataset(PROJECT, DatasetType.TRAIN, DatasetStatus.CREATE_IN_PROGRESS)
    identity = {"id": operation.datasets[0], "operation": operation.id}
    return _put(table, dataset.model_copy(update=identity), operation)


def _put(table: Table, dataset: Dataset, operation: Operation | None) -> bool:
    try:
        operations.create(table, dataset, operation)
    except ResourceAlreadyExistsException:
        return False
    return True


def _claim(table: Table, operation: Operation, view: ProjectView) -> bool:
    claimed = [dataset for dataset in view.datasets.values() if dataset.id in operation.datasets]
    return operations.claim(table, operation, claimed, NOW)


def apply_revert(table: Table, view: HistoryView) -> bool:
    """Revert as the API does. The caller has checked the existence of the contents after reading the notes."""
    last = view.last
    if last is None or last.reverted is not None:
        return False
    if any(note and note.collecting for note in view.notes.values()):
        return False
    distribution = last.distribution
    for dataset, after in zip(distribution.datasets, distribution.after, strict=True):
        current = view.datasets.get(dataset)
        if current is None or current.status not in READY_STATUSES or current.contents != after:
            return False
    return history.revert(table, distribution, view.notes, "", NOW)
