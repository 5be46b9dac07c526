"""Retired folders: folders of contents to which no dataset points, and the time of the retirement.

Every transaction that takes a pointer from a folder, or leaves a new folder without a pointer, retires the folder, so Collect
needs no search. Copies share contents: a later retirement of the same folder renews the time, and a dataset may still point to
the folder. Collect deletes the item with the folder's objects, or when a dataset still points to the folder.

The names in stored items (`released`, `Released`) are older than the term.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from twofold.settings import SORT_KEY, TablePartition
from twofold.stores.table.connection import Table, Write

_PARTITION = TablePartition.RETIRED.value


@dataclass(frozen=True, slots=True)
class RetiredFolder:
    """`retired_at` in epoch milliseconds."""

    folder: str
    retired_at: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """The retirement of a folder. `collecting` is set before the first object of the folder is deleted."""

    retired_at: int
    collecting: bool


def find_retirement(table: Table, folder: str) -> Retirement | None:
    item = table.get(_PARTITION, folder)
    return Retirement(int(item["Released"]), bool(item.get("Collecting"))) if item else None


def list_retired_before(table: Table, time: int) -> Iterator[RetiredFolder]:
    """Yield the folders last retired before a time."""
    for item in table.query_all(_PARTITION):
        if item["Released"] < time:
            yield RetiredFolder(item[SORT_KEY], int(item["Released"]))


def build_retirement(table: Table, folder: str, now: int) -> Write:
    """Build the write to retire the folder of contents that lose, or never get, a pointer."""
    return table.build_update(
        _PARTITION, folder, change="SET #Released = :released", values={":released": now}
    )


def build_reinstatement(table: Table, folder: str, retirement: Retirement | None) -> Write:
    """Build the write by which a dataset points to the folder again, safe from Collect.

    The write fails if the folder was retired, retired again or held after `retirement` was read.
    """
    condition = "attribute_not_exists(#pk)"
    if retirement:
        condition = "#Released = :when AND attribute_not_exists(#Collecting)"
    values = {":when": retirement.retired_at} if retirement else {}
    return table.build_delete(_PARTITION, folder, condition=condition, values=values)


def hold_folder(table: Table, folder: RetiredFolder) -> bool:
    """Mark the folder as being collected; return False if the retirement has been renewed or deleted."""
    write = table.build_update(
        _PARTITION,
        folder.folder,
        change="SET #Collecting = :yes",
        condition="#Released = :when",
        values={":yes": True, ":when": folder.retired_at},
    )
    return table.try_transact([write])


def delete_retirement(table: Table, folder: RetiredFolder) -> bool:
    """Delete the retirement; return False if it has been renewed or deleted."""
    write = table.build_delete(
        _PARTITION,
        folder.folder,
        condition="#Released = :when",
        values={":when": folder.retired_at},
    )
    return table.try_transact([write])
