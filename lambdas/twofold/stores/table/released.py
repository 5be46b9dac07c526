"""Contents that a dataset has left: since when, and whether another dataset, a copy, still points to them.

Every transaction that takes a pointer away notes the folder, so that nothing has to be searched for. A note is renewed when
a copy leaves the same folder, and it goes when the folder has been collected or turns out to be in use.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twofold.settings import SORT_KEY, Partition
from twofold.stores.table import projects
from twofold.stores.table.connection import ConditionFailedError, Table, Write

RELEASED = Partition.RELEASED.value
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Released:
    """`when` in epoch milliseconds."""

    folder: str
    when: int


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted of one folder; `collecting` as soon as its objects may be going."""

    when: int
    collecting: bool


def find(table: Table, folder: str) -> Note | None:
    item = table.get(RELEASED, folder)
    return Note(int(item["Released"]), bool(item.get("Collecting"))) if item else None


def reclaim(table: Table, folder: str, seen: Note | None) -> Write:
    """A write for the transaction by which a dataset points to the folder again: from then on it is not collected.

    It fails if the folder has been noted, renewed or held since its note was read.
    """
    condition = "attribute_not_exists(#pk)"
    if seen:
        condition = "#Released = :when AND attribute_not_exists(#Collecting)"
    values = {":when": seen.when} if seen else {}
    return table.delete(RELEASED, folder, condition=condition, values=values)


def note(table: Table, folder: str, now: int) -> Write:
    """A write for the transaction by which a dataset leaves the folder."""
    return table.update(
        RELEASED, folder, change="SET #Released = :released", values={":released": now}
    )


def before(table: Table, moment: int) -> Iterator[Released]:
    """What was left before a moment and not since."""
    for item in table.query_all(RELEASED):
        if item["Released"] < moment:
            yield Released(item[SORT_KEY], int(item["Released"]))


def in_use(table: Table) -> frozenset[str]:
    """The folders that datasets point to."""
    folders: set[str] = set()
    after = ""
    while page := projects.catalogue(table, after=after, limit=_PAGE):
        folders |= pointed_to(table, [name for _, name in page])
        after = page[-1][0]
    return frozenset(folders)


def pointed_to(table: Table, names: Iterable[str]) -> set[str]:
    """The folders that the datasets of some projects point to."""
    identities = [
        dataset for project in projects.find_many(table, names) for dataset in project.datasets()
    ]
    datasets = projects.find_datasets(table, identities).values()
    return {dataset.contents.folder for dataset in datasets if dataset.contents}


def hold(table: Table, released: Released) -> bool:
    """Marks the folder as being collected; False if a dataset has left it again since it was noted."""
    return _done(
        table,
        table.update(
            RELEASED,
            released.folder,
            change="SET #Collecting = :yes",
            condition="#Released = :when",
            values={":yes": True, ":when": released.when},
        ),
    )


def forget(table: Table, released: Released) -> bool:
    """Takes the note away unless it has been renewed."""
    return _done(
        table,
        table.delete(
            RELEASED,
            released.folder,
            condition="#Released = :when",
            values={":when": released.when},
        ),
    )


def _done(table: Table, write: Write) -> bool:
    try:
        table.transact([write])
    except ConditionFailedError:
        return False
    return True
