"""Records of finished operations: the distributions of each project, and the unsent events.

`revert` undoes a distribution in one transaction. The transaction that ends an operation writes the
event, and sending deletes the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from twofold.operation_event import OperationEvent
from twofold.records import (
    READY_STATUSES,
    Contents,
    DatasetId,
    DatasetStatus,
    Distribution,
    Project,
    StatusMessageCode,
)
from twofold.settings import SORT_KEY, TablePartition
from twofold.stores.table import projects, retired
from twofold.stores.table.connection import Table, Write
from twofold.stores.table.items import Item
from twofold.stores.table.retired import Retirement

_OUTBOX = TablePartition.OUTBOX.value
_LATEST_TIME = 10**13 - 1
"""Sort keys subtract from it, so that a query returns the newest distribution first."""
_REVERTED_MESSAGE = "The distribution was reverted: the dataset has its previous contents."
_PAGE_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A distribution of a project, and when (in epoch milliseconds) and by whom reverted.

    `position` is the sort key of a project's distributions.
    """

    position: str
    distribution: Distribution
    reverted: int | None
    reverted_by: str

    @classmethod
    def from_item(cls, item: Item) -> Self:
        reverted = item.get("Reverted")
        return cls(
            position=item[SORT_KEY],
            distribution=Distribution.model_validate_json(item["Distribution"]),
            reverted=None if reverted is None else int(reverted),
            reverted_by=item.get("RevertedBy", ""),
        )


def build_distribution_write(table: Table, distribution: Distribution) -> Write:
    """Build the write to add a distribution to the project's history."""
    return table.build_update(
        *_build_distribution_key(distribution),
        change="SET #Distribution = :distribution",
        values={":distribution": distribution.model_dump_json(by_alias=True, exclude_none=True)},
    )


def list_distributions(
    table: Table, project: Project, *, after: str, limit: int
) -> list[HistoryEntry]:
    """Return up to `limit` distributions after a position, newest first, except for an earlier project of this name."""
    items = table.query(_build_history_partition(project.name), after=after, limit=limit)
    entries = [HistoryEntry.from_item(item) for item in items]
    return [entry for entry in entries if entry.distribution.begun >= project.created]


def find_last_distribution(table: Table, project: Project) -> HistoryEntry | None:
    """Return the newest distribution with moved entries, reverted or not."""
    after = ""
    while entries := list_distributions(table, project, after=after, limit=_PAGE_ENTRIES):
        for entry in entries:
            if entry.distribution.after:
                return entry
        after = entries[-1].position
    return None


def find_contents_after_last_distribution(
    table: Table, project: Project, train: DatasetId
) -> Contents | None:
    """Return the contents of a training dataset after its last distribution that was not reverted, or None without one."""
    after = ""
    while entries := list_distributions(table, project, after=after, limit=_PAGE_ENTRIES):
        for entry in entries:
            distribution = entry.distribution
            # Newest first: all others are older than this training dataset.
            if distribution.begun < train.created:
                return None
            if distribution.after and distribution.datasets[0] == train and entry.reverted is None:
                return distribution.after[0]
        after = entries[-1].position
    return None


def revert(
    table: Table,
    distribution: Distribution,
    retirements: Mapping[str, Retirement | None],
    caller: str,
    now: int,
) -> bool:
    """Point both datasets to the previous contents; return False after any change since the read.

    `retirements` has the retirement of each folder with previous contents. The caller must read it before checking that the
    objects exist.
    """
    writes = [
        table.build_update(
            *_build_distribution_key(distribution),
            change="SET #Reverted = :now, #RevertedBy = :caller",
            condition="attribute_exists(#pk) AND attribute_not_exists(#Reverted)",
            values={":now": now, ":caller": caller},
        ),
        *(
            retired.build_reinstatement(table, folder, retirement)
            for folder, retirement in retirements.items()
        ),
        build_event_write(table, OperationEvent.from_revert(distribution, _REVERTED_MESSAGE, now)),
    ]
    # Without contents, the test dataset was empty before the distribution.
    previous = (distribution.before, distribution.test_before)
    for dataset, after, before in zip(
        distribution.datasets, distribution.after, previous, strict=True
    ):
        pointer = "SET #Contents = :contents," if before else "REMOVE #Contents SET"
        contents = {":contents": before.model_dump(by_alias=True)} if before else {}
        writes += [
            table.build_update(
                *projects.build_dataset_key(dataset),
                change=f"{pointer} #Status = :status, #StatusMessage = :message, "
                "#StatusMessageCode = :code, #Updated = :now",
                **_build_revert_condition(after, contents, now),
            ),
            retired.build_retirement(table, after.folder, now),
        ]
    return table.try_transact(writes)


def _build_revert_condition(
    after: Contents, contents: Mapping[str, Any], now: int
) -> dict[str, Any]:
    """Return condition and values of an update for a ready dataset with the contents `after`."""
    statuses = {f":ready{i}": status.value for i, status in enumerate(READY_STATUSES)}
    return {
        "condition": f"#Status IN ({', '.join(statuses)}) AND #Contents.#Folder = :after",
        "values": {
            **contents,
            **statuses,
            ":after": after.folder,
            ":status": DatasetStatus.UPDATE_COMPLETE.value,
            ":message": _REVERTED_MESSAGE,
            ":code": StatusMessageCode.SUCCESS.value,
            ":now": now,
        },
    }


def build_event_write(table: Table, event: OperationEvent) -> Write:
    """Build the write to keep an event for sending."""
    text = event.model_dump_json(by_alias=True)
    return table.build_update(
        _OUTBOX, event.event, change="SET #Settled = :settled", values={":settled": text}
    )


def list_unsent_events(table: Table) -> list[OperationEvent]:
    items = table.query_all(_OUTBOX)
    return [OperationEvent.model_validate_json(item["Settled"]) for item in items]


def delete_event(table: Table, event: OperationEvent) -> None:
    """Delete a sent event. Another sender may have deleted the event already."""
    table.try_transact([table.build_delete(_OUTBOX, event.event)])


def _build_distribution_key(distribution: Distribution) -> tuple[str, str]:
    sk = f"{_LATEST_TIME - distribution.begun:013d}#{distribution.operation}"
    return _build_history_partition(distribution.datasets[0].project), sk


def _build_history_partition(project: str) -> str:
    return f"{TablePartition.DISTRIBUTIONS}{project}"
