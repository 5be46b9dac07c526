"""The life of an operation: claim, then publish or abandon. Each is one conditional transaction.

A claim moves settled datasets to `*_IN_PROGRESS` and writes the operation's item; publish and abandon need the claim to be
theirs still, move the datasets on and delete the item. So an operation ends once, whoever ends it, and while its item is
there something is left to be ended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twofold.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from twofold.records import (
    SETTLED,
    Contents,
    Dataset,
    DatasetId,
    Distribution,
    Operation,
    Project,
    StatusCode,
)
from twofold.settings import PARTITION_KEY, SORT_KEY, Partition
from twofold.settled import Settled
from twofold.stores import keys
from twofold.stores.table import history, outbox, projects, released
from twofold.stores.table.connection import ConditionFailedError, Table, Write

ACTIVE = Partition.OPERATIONS.value


def _begin(table: Table, operation: Operation) -> Write:
    return table.put(
        {PARTITION_KEY: ACTIVE, SORT_KEY: operation.id, "Operation": operation.event()}
    )


def active(table: Table) -> list[Operation]:
    """Operations that have not ended."""
    return [Operation.of(item["Operation"]) for item in table.query_all(ACTIVE)]


def count_active(table: Table, limit: int) -> int:
    """Operations that have not ended, counted up to `limit`."""
    return len(table.query(ACTIVE, limit=limit))


def create(
    table: Table, dataset: Dataset, operation: Operation | None, project: Project | None = None
) -> None:
    """Puts a new dataset into its project's slot, with the operation that fills it, if any.

    With `project`, as it was read, the slot is that project's and not one of a later project of the same name.
    Raises ResourceAlreadyExistsException if the slot is filled, ResourceNotFoundException if the project has gone.
    """
    slot = projects.fill_slot(table, dataset.id, project)
    writes = [slot, table.put(projects.dataset_item(dataset))]
    if operation:
        writes.append(_begin(table, operation))
    if _transacted(table, writes):
        return
    name, kind = dataset.id.project, dataset.id.type
    current = projects.find(table, name)
    if not current or (project and current.created != project.created):
        raise ResourceNotFoundException(f"The project '{name}' does not exist.")
    raise ResourceAlreadyExistsException(
        f"The project '{name}' already has a {kind} dataset; delete it first to replace it."
    )


def claim(table: Table, operation: Operation, datasets: Sequence[Dataset], now: int) -> bool:
    """Claims datasets as they were read for an operation that updates them. False if one is no longer so."""
    message = "The dataset is being updated."
    writes = [_begin(table, operation)]
    writes += [_claim(table, operation, dataset, message, now) for dataset in datasets]
    return _transacted(table, writes)


def _claim(table: Table, operation: Operation, dataset: Dataset, message: str, now: int) -> Write:
    statuses = {f":settled{i}": status.value for i, status in enumerate(SETTLED)}
    seen = dataset.contents.folder if dataset.contents else None
    unchanged = "#Contents.#Folder = :seen" if seen else "attribute_not_exists(#Contents)"
    return _update(
        table,
        dataset.id,
        change="SET #Status = :status, #StatusMessage = :message, #StatusMessageCode = :code, "
        "#Operation = :operation, #Updated = :now",
        condition=f"#Status IN ({', '.join(statuses)}) AND {unchanged}",
        values={
            ":status": operation.kind.in_progress.value,
            ":message": message,
            ":code": StatusCode.SUCCESS.value,
            ":operation": operation.id,
            ":now": now,
            **statuses,
            **({":seen": seen} if seen else {}),
        },
    )


def publish(
    table: Table,
    operation: Operation,
    contents: Mapping[DatasetId, Contents],
    message: str,
    now: int,
    remembered: Distribution | None = None,
) -> bool:
    """Ends the operation and points its datasets to their new contents; a dataset that gets none keeps what it has.

    What is `remembered` goes into the project's history. False if the operation has ended already.
    """
    told = Settled.of(operation, operation.kind.complete, message, StatusCode.SUCCESS, now)
    writes = [_end(table, operation), outbox.put(table, told)]
    if remembered:
        writes.append(history.remember(table, remembered))
    if operation.before and contents:
        writes.append(released.note(table, operation.before.folder, now))
    for dataset in operation.datasets:
        new = contents.get(dataset)
        pointer = {":contents": new.model_dump(by_alias=True)} if new else {}
        writes.append(
            _settle(
                table,
                operation,
                dataset,
                change=f"SET #Contents = :contents, {_STATUS}" if new else f"SET {_STATUS}",
                values={
                    **pointer,
                    ":status": operation.kind.complete.value,
                    ":message": message,
                    ":code": StatusCode.SUCCESS.value,
                    ":now": now,
                },
            )
        )
    return _transacted(table, writes)


def abandon(table: Table, operation: Operation, message: str, code: StatusCode, now: int) -> bool:
    """Ends the operation without touching any contents; what it wrote is nobody's. False if it has ended already."""
    values = {
        ":status": operation.kind.failed.value,
        ":message": message,
        ":code": code.value,
        ":now": now,
    }
    told = Settled.of(operation, operation.kind.failed, message, code, now)
    writes = [_end(table, operation), outbox.put(table, told)]
    writes += [
        _settle(table, operation, dataset, change=f"SET {_STATUS}", values=values)
        for dataset in operation.datasets
    ]
    folders = (keys.contents(dataset.path, operation.id) for dataset in operation.datasets)
    writes += [released.note(table, folder, now) for folder in folders]
    return _transacted(table, writes)


def retract(table: Table, operation: Operation, now: int) -> bool:
    """Undoes the creation of a dataset whose workflow could not be started: the slot is free again.

    If the workflow was started all the same, what it writes is nobody's.
    """
    (dataset,) = operation.datasets
    pk, sk = projects.dataset_key(dataset)
    return _transacted(
        table,
        [
            _end(table, operation),
            table.delete(pk, sk),
            projects.free_slot(table, dataset),
            released.note(table, keys.contents(dataset.path, operation.id), now),
        ],
    )


_STATUS = (
    "#Status = :status, #StatusMessage = :message, #StatusMessageCode = :code, #Updated = :now"
)


def _settle(
    table: Table,
    operation: Operation,
    dataset: DatasetId,
    *,
    change: str,
    values: Mapping[str, Any],
) -> Write:
    return _update(
        table,
        dataset,
        change=change,
        condition="#Operation = :operation AND #Status = :in_progress",
        values={
            **values,
            ":operation": operation.id,
            ":in_progress": operation.kind.in_progress.value,
        },
    )


def _end(table: Table, operation: Operation) -> Write:
    return table.delete(ACTIVE, operation.id)


def _update(table: Table, dataset: DatasetId, **expressions: Any) -> Write:
    return table.update(*projects.dataset_key(dataset), **expressions)


def _transacted(table: Table, writes: Sequence[Write]) -> bool:
    try:
        table.transact(writes)
    except ConditionFailedError:
        return False
    return True
