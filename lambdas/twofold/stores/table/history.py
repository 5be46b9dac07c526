"""The distributions of a project, newest first, and their undoing in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from twofold.records import SETTLED, Contents, Distribution, Project, Status, StatusCode
from twofold.settings import SORT_KEY, Partition
from twofold.settled import Settled
from twofold.stores.table import outbox, projects, released
from twofold.stores.table.connection import ConditionFailedError, Table, Write
from twofold.stores.table.items import Item
from twofold.stores.table.released import Note

_LATEST = 10**13 - 1
_REVERTED = "The distribution was reverted: the dataset has what it had before."
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Remembered:
    """`place` orders a project's distributions; `reverted`, in epoch milliseconds, and `reverted_by` if it was undone."""

    place: str
    distribution: Distribution
    reverted: int | None
    reverted_by: str

    @classmethod
    def of(cls, item: Item) -> Self:
        when = item.get("Reverted")
        return cls(
            place=item[SORT_KEY],
            distribution=Distribution.model_validate_json(item["Distribution"]),
            reverted=None if when is None else int(when),
            reverted_by=item.get("RevertedBy", ""),
        )


def remember(table: Table, distribution: Distribution) -> Write:
    """A write for the transaction that ends the distribution."""
    return table.update(
        *_key(distribution),
        change="SET #Distribution = :distribution",
        values={":distribution": distribution.model_dump_json(by_alias=True, exclude_none=True)},
    )


def page(table: Table, project: Project, *, after: str, limit: int) -> list[Remembered]:
    """Up to `limit` distributions of this very project, after a place; an earlier project of its name is not it."""
    items = table.query(_partition(project.name), after=after, limit=limit)
    found = [Remembered.of(item) for item in items]
    return [one for one in found if one.distribution.begun >= project.created]


def last(table: Table, project: Project) -> Remembered | None:
    """The newest distribution that moved entries."""
    after = ""
    while found := page(table, project, after=after, limit=_PAGE):
        for one in found:
            if one.distribution.after:
                return one
        after = found[-1].place
    return None


def revert(table: Table, done: Distribution, kept: Note | None, caller: str, now: int) -> bool:
    """Gives both datasets what they had before; False if anything is not as it was looked at.

    `kept` is the note of the contents that the training dataset gets back, as it was read before they were looked for.
    """
    writes = [
        table.update(
            *_key(done),
            change="SET #Reverted = :now, #RevertedBy = :caller",
            condition="attribute_exists(#pk) AND attribute_not_exists(#Reverted)",
            values={":now": now, ":caller": caller},
        ),
        released.reclaim(table, done.before.folder, kept),
        outbox.put(table, Settled.reverted(done, _REVERTED, now)),
    ]
    for dataset, after, before in zip(done.datasets, done.after, (done.before, None), strict=True):
        pointer = "SET #Contents = :contents," if before else "REMOVE #Contents SET"
        given = {":contents": before.model_dump(by_alias=True)} if before else {}
        writes += [
            table.update(
                *projects.dataset_key(dataset),
                change=f"{pointer} #Status = :status, #StatusMessage = :message, "
                "#StatusMessageCode = :code, #Updated = :now",
                **_unchanged(after, given, now),
            ),
            released.note(table, after.folder, now),
        ]
    try:
        table.transact(writes)
    except ConditionFailedError:
        return False
    return True


def _unchanged(after: Contents, given: Mapping[str, Any], now: int) -> dict[str, Any]:
    statuses = {f":settled{i}": status.value for i, status in enumerate(SETTLED)}
    return {
        "condition": f"#Status IN ({', '.join(statuses)}) AND #Contents.#Folder = :after",
        "values": {
            **given,
            **statuses,
            ":after": after.folder,
            ":status": Status.UPDATE_COMPLETE.value,
            ":message": _REVERTED,
            ":code": StatusCode.SUCCESS.value,
            ":now": now,
        },
    }


def _key(distribution: Distribution) -> tuple[str, str]:
    place = f"{_LATEST - distribution.begun:013d}#{distribution.operation}"
    return _partition(distribution.datasets[0].project), place


def _partition(project: str) -> str:
    return f"{Partition.DISTRIBUTIONS}{project}"
