"""What is tested or not as a whole: an entry, or a group of entries."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.split.coordination import Ranks
from twofold.split.keys import entry_keys
from twofold.split.rows import Ints, Rows

_CHUNK = 1 << 17


@dataclass(frozen=True, slots=True)
class Units:
    """For each unit its key, what breaks ties of keys, its row of label counts and its entries.

    `ranks` where the keys are coordinated with a previous split.
    """

    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    row: NDArray[np.integer]
    size: Ints
    rows: Rows
    ranks: Ranks | None = None

    def __len__(self) -> int:
        return len(self.key)


def entries_as_units(
    source: NDArray[np.uint64], label_set: NDArray[np.uint32], rows: Rows, seed: int
) -> Units:
    ones = np.broadcast_to(np.int64(1), source.shape)
    return Units(entry_keys(source, seed), source, label_set, ones, rows)


def groups_as_units(
    groups: NDArray[np.uint64], label_set: NDArray[np.uint32], rows: Rows, seed: int
) -> tuple[Units, Ints]:
    """The groups as units, and for each entry the unit it is in."""
    tie, unit, size = np.unique(groups, return_inverse=True, return_counts=True)
    cells = unit * np.int64(len(rows)) + label_set
    cells, times = np.unique(cells, return_counts=True)
    parts = list(_grouped(cells // len(rows), cells % len(rows), times, rows))
    offsets = np.concatenate(([0], np.cumsum(np.concatenate([part[0] for part in parts]))))
    group_rows = Rows(
        offsets=offsets.astype(np.int64),
        labels=np.concatenate([part[1] for part in parts]),
        counts=np.concatenate([part[2] for part in parts]),
    )
    every = np.arange(len(tie), dtype=np.int64)
    return Units(entry_keys(tie, seed), tie, every, size.astype(np.int64), group_rows), unit


def _grouped(
    group: Ints, row: Ints, times: Ints, rows: Rows
) -> Iterator[tuple[Ints, NDArray[np.int32], Ints]]:
    """Label counts of whole groups, chunk by chunk: (labels a group, labels, counts)."""
    first = 0
    while first < len(group):
        last = int(np.searchsorted(group, group[min(first + _CHUNK, len(group)) - 1], side="right"))
        taken = rows.take(row[first:last])
        owner = taken.owners()
        key = (group[first:last][owner] << np.int64(32)) | taken.labels
        order = np.argsort(key, kind="stable")
        key, count = key[order], times[first:last][owner][order]
        new = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        key = key[new]
        lengths = np.bincount((key >> np.int64(32)) - group[first])
        labels = (key & np.int64(0xFFFFFFFF)).astype(np.int32)
        yield lengths, labels, np.add.reduceat(count, new)
        first = last
