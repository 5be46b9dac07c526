"""The life of an operation: claim, then publish or abandon. Each step is one conditional transaction.

A claim moves datasets from a ready status to `*_IN_PROGRESS` and writes the operation's item. Publish and abandon require the
claim, set the final status and delete the item. So each operation ends once, even if several callers try, and an existing item
marks an active operation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twofold.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from twofold.operation_event import OperationEvent
from twofold.records import (
    READY_STATUSES,
    Contents,
    Dataset,
    DatasetId,
    Distribution,
    Operation,
    Project,
    StatusMessageCode,
)
from twofold.settings import PARTITION_KEY, SORT_KEY, TablePartition
from twofold.stores.keys import build_contents_folder
from twofold.stores.table import history, projects, retired
from twofold.stores.table.connection import Table, Write

_PARTITION = TablePartition.OPERATIONS.value
_SET_STATUS = (
    "#Status = :status, #StatusMessage = :message, #StatusMessageCode = :code, #Updated = :now"
)


def list_active(table: Table) -> list[Operation]:
    """Return the active operations."""
    return [Operation.parse(item["Operation"]) for item in table.query_all(_PARTITION)]


def count_active(table: Table, limit: int) -> int:
    """Count the active operations, up to `limit`."""
    return len(table.query(_PARTITION, limit=limit))


def create(
    table: Table, dataset: Dataset, operation: Operation | None, project: Project | None = None
) -> None:
    """Put a new dataset into the project's slot, with the operation for an ingest.

    With `project`, the slot of a later project with the same name is refused.
    Raises ResourceAlreadyExistsException if the slot is full, ResourceNotFoundException if the project does not exist.
    """
    slot = projects.build_slot_fill(table, dataset.id, project)
    writes = [slot, table.build_put(projects.build_dataset_item(dataset))]
    if operation:
        writes.append(build_operation_put(table, operation))
    if table.try_transact(writes):
        return
    name, dataset_type = dataset.id.project, dataset.id.type
    current = projects.find(table, name)
    if not current or (project and current.created != project.created):
        raise ResourceNotFoundException(f"The project '{name}' does not exist.")
    raise ResourceAlreadyExistsException(
        f"The project '{name}' already has a {dataset_type} dataset; delete it first to replace it."
    )


def claim(table: Table, operation: Operation, datasets: Sequence[Dataset], now: int) -> bool:
    """Claim existing datasets for a distribution or an update; return False if a dataset has changed since the read."""
    writes = [build_operation_put(table, operation)]
    writes += [_build_claim(table, operation, dataset, now) for dataset in datasets]
    return table.try_transact(writes)


def _build_claim(table: Table, operation: Operation, dataset: Dataset, now: int) -> Write:
    statuses = {f":ready{i}": status.value for i, status in enumerate(READY_STATUSES)}
    # A folder identifies its contents: contents never change, and each operation has folders of its own.
    folder = dataset.contents.folder if dataset.contents else None
    unchanged = "#Contents.#Folder = :seen" if folder else "attribute_not_exists(#Contents)"
    return table.build_update(
        *projects.build_dataset_key(dataset.id),
        change=f"SET {_SET_STATUS}, #Operation = :operation",
        condition=f"#Status IN ({', '.join(statuses)}) AND {unchanged}",
        values={
            ":status": operation.kind.in_progress_status.value,
            ":message": "The dataset is being updated.",
            ":code": StatusMessageCode.SUCCESS.value,
            ":operation": operation.id,
            ":now": now,
            **statuses,
            **({":seen": folder} if folder else {}),
        },
    )


def publish(
    table: Table,
    operation: Operation,
    contents: Mapping[DatasetId, Contents],
    message: str,
    now: int,
    distribution: Distribution | None = None,
) -> bool:
    """End the operation and point the datasets to new contents; return False if the operation has ended already.

    A dataset without new contents keeps the present contents. `distribution` is added to the project's history.
    """
    status, code = operation.kind.complete_status, StatusMessageCode.SUCCESS
    event = OperationEvent.from_operation(operation, status, message, code, now)
    writes = [_build_operation_delete(table, operation), history.build_event_write(table, event)]
    if distribution:
        writes.append(history.build_distribution_write(table, distribution))
    # A dry run has no new contents, so no folder is retired.
    for replaced in (operation.before, operation.test_before) if contents else ():
        if replaced:
            writes.append(retired.build_retirement(table, replaced.folder, now))
    for dataset in operation.datasets:
        values: dict[str, Any] = {
            ":status": status.value,
            ":message": message,
            ":code": code.value,
            ":now": now,
        }
        change = f"SET {_SET_STATUS}"
        if dataset in contents:
            change = f"SET #Contents = :contents, {_SET_STATUS}"
            values[":contents"] = contents[dataset].model_dump(by_alias=True)
        writes.append(_build_end_of_claim(table, operation, dataset, change, values))
    return table.try_transact(writes)


def abandon(
    table: Table, operation: Operation, message: str, code: StatusMessageCode, now: int
) -> bool:
    """End the operation and leave all contents unchanged; return False if the operation has ended already.

    Objects of the operation belong to no dataset; they are retired, and Collect deletes them.
    """
    status = operation.kind.failed_status
    values = {":status": status.value, ":message": message, ":code": code.value, ":now": now}
    event = OperationEvent.from_operation(operation, status, message, code, now)
    writes = [_build_operation_delete(table, operation), history.build_event_write(table, event)]
    writes += [
        _build_end_of_claim(table, operation, dataset, f"SET {_SET_STATUS}", values)
        for dataset in operation.datasets
    ]
    folders = [build_contents_folder(dataset.path, operation.id) for dataset in operation.datasets]
    writes += [retired.build_retirement(table, folder, now) for folder in folders]
    return table.try_transact(writes)


def retract(table: Table, operation: Operation, now: int) -> bool:
    """Undo the creation of a dataset after a failed start of the workflow: the slot is empty again.

    If the workflow started nevertheless, the written objects belong to no dataset.
    """
    (dataset,) = operation.datasets
    pk, sk = projects.build_dataset_key(dataset)
    folder = build_contents_folder(dataset.path, operation.id)
    return table.try_transact(
        [
            _build_operation_delete(table, operation),
            table.build_delete(pk, sk),
            projects.build_slot_clear(table, dataset),
            retired.build_retirement(table, folder, now),
        ]
    )


def build_operation_put(table: Table, operation: Operation) -> Write:
    """Build the write to record an active operation."""
    key = {PARTITION_KEY: _PARTITION, SORT_KEY: operation.id}
    return table.build_put({**key, "Operation": operation.serialize()})


def _build_operation_delete(table: Table, operation: Operation) -> Write:
    return table.build_delete(_PARTITION, operation.id)


def _build_end_of_claim(
    table: Table,
    operation: Operation,
    dataset: DatasetId,
    change: str,
    values: Mapping[str, Any],
) -> Write:
    """Build the write to update a dataset under the operation's claim."""
    return table.build_update(
        *projects.build_dataset_key(dataset),
        change=change,
        condition="#Operation = :operation AND #Status = :in_progress",
        values={
            **values,
            ":operation": operation.id,
            ":in_progress": operation.kind.in_progress_status.value,
        },
    )
