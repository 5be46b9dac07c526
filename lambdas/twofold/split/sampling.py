"""Keyed bottom-k sampling: each unit has a pseudorandom key, and the units with the lowest keys come first.

The key of a source is `mix(source ^ mix(seed + GOLDEN))`, where `mix` is the finalizer of splitmix64 (Steele, Lea, Flood: Fast
splittable pseudorandom number generators, 2014). `mix` is a bijection of 64-bit words: distinct sources have distinct keys,
and another seed gives an unrelated order.

With a previous split the keys are coordinated: units of the previous test set rank first, then new units, then units of the
previous training set, each by their own keys. The lowest ranks are then the previous test set and a share of the new units, so
old units change sides only where the size or the balance requires it. Survey sampling calls this positive coordination by
permanent random numbers (E. Ohlsson: Coordination of samples using permanent random numbers, 1995).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.split.label_matrix import LabelMatrix, rank_rows, sum_label_hashes

GOLDEN = 0x9E3779B97F4A7C15
MAX_SEED = (1 << 63) - 1
_MAX_WORD = (1 << 64) - 1
_CHUNK = 1 << 17
_LOW_HALF = np.int64(0xFFFFFFFF)


class PreviousSide(IntEnum):
    """The side of an entry in the previous split; the values are ranks."""

    TEST = 0
    NEW = 1
    TRAINING = 2


@dataclass(frozen=True, slots=True)
class SideBounds:
    """Keys below `new` belong to units of the previous test set, keys from `training` on to units of the training set."""

    new: np.uint64
    training: np.uint64


@dataclass(frozen=True, slots=True)
class Units:
    """Sampling units: entries, or groups of entries kept together. Arrays have a value for each unit.

    `source` is the hash of the source-ref or of the group, `row` the unit's row in `matrix`, `size` the number of entries.
    Orders are by key and then by source; keys are equal for equal sources alone. `bounds` is set if the keys are coordinated
    with a previous split.
    """

    key: NDArray[np.uint64]
    source: NDArray[np.uint64]
    row: NDArray[np.integer]
    size: Ints
    matrix: LabelMatrix
    bounds: SideBounds | None = None

    def __len__(self) -> int:
        return len(self.key)


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Apply the finalizer of splitmix64, a bijection of 64-bit words."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def compute_keys(source: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """The 64-bit key of each source.

    Raises ValueError for a seed outside 0..2**63-1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"The seed must be between 0 and {MAX_SEED}, not {seed}.")
    # A salt for the seed.
    salt = mix(np.array([(seed + GOLDEN) & _MAX_WORD], dtype=np.uint64))
    return mix(np.asarray(source, dtype=np.uint64) ^ salt)


def make_entry_units(
    source: NDArray[np.uint64], row: NDArray[np.integer], matrix: LabelMatrix, seed: int
) -> Units:
    """A unit for each entry, with the entry's row of the matrix."""
    ones = np.broadcast_to(np.int64(1), source.shape)
    return Units(compute_keys(source, seed), source, row, ones, matrix)


def make_group_units(
    groups: NDArray[np.uint64], entry_row: NDArray[np.integer], matrix: LabelMatrix, seed: int
) -> tuple[Units, Ints]:
    """Return a unit for each group, and the unit of each entry. The row of a group is the sum of its entries' rows."""
    hashes, unit, size = np.unique(groups, return_inverse=True, return_counts=True)
    # A cell is a pair of group and row; `times` counts its entries.
    cells = unit * np.int64(len(matrix)) + entry_row
    cells, times = np.unique(cells, return_counts=True)
    chunks = list(_sum_group_rows(cells // len(matrix), cells % len(matrix), times, matrix))
    group_matrix = LabelMatrix(
        offsets=compute_offsets(np.concatenate([chunk[0] for chunk in chunks])),
        labels=np.concatenate([chunk[1] for chunk in chunks]),
        counts=np.concatenate([chunk[2] for chunk in chunks]),
    )
    row = np.arange(len(hashes), dtype=np.int64)
    return Units(compute_keys(hashes, seed), hashes, row, size.astype(np.int64), group_matrix), unit


def _sum_group_rows(
    group: Ints, row: Ints, times: Ints, matrix: LabelMatrix
) -> Iterator[tuple[Ints, NDArray[np.int32], Ints]]:
    """Yield (lengths, labels, counts) of the rows of consecutive groups, in chunks to bound memory.

    `group`, `row` and `times` describe cells in the order of groups.
    """
    first = 0
    while first < len(group):
        # A chunk ends at the end of a group.
        last = int(np.searchsorted(group, group[min(first + _CHUNK, len(group)) - 1], side="right"))
        rows = matrix.take_rows(row[first:last])
        cell = rows.compute_row_indices()
        # One sort key for each value: the group in the high half, the label in the low half.
        key = (group[first:last][cell] << np.int64(32)) | rows.labels
        order = np.argsort(key, kind="stable")
        key, count = key[order], times[first:last][cell][order]
        starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        key = key[starts]
        lengths = np.bincount((key >> np.int64(32)) - group[first])
        yield lengths, (key & _LOW_HALF).astype(np.int32), np.add.reduceat(count, starts)
        first = last


def sort_by_signature(units: Units, label_hashes: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Return the order of the units by signature and then by key, and the places in it where signatures begin.

    Units with equal rows and equal sizes have the same signature and are interchangeable. Signatures are ordered by 64-bit
    hashes of the label names, so the order of entries has no effect. Since label names can be made to have equal sums of
    hashes, rows with equal hashes are compared, and different rows have different signatures.
    """
    row_hashes = mix(sum_label_hashes(units.matrix, label_hashes))
    row_ranks = rank_rows(units.matrix, row_hashes)
    # Units with equal rows and different sizes get different hashes.
    hashes = row_hashes[units.row] ^ units.size.astype(np.uint64)
    order = np.lexsort((units.source, units.key, hashes))
    starts = _mark_changes(hashes[order])
    if row_ranks.any() or units.size.max(initial=1) > 1:
        ranks = row_ranks[units.row]
        collisions = _mark_changes(ranks[order]) | _mark_changes(units.size[order])
        if np.any(collisions & ~starts):
            # Units with equal hashes but different rows or sizes are ordered by content.
            order = np.lexsort((units.source, units.key, ranks, units.size, hashes))
            starts = _mark_changes(hashes[order]) | _mark_changes(ranks[order])
            starts |= _mark_changes(units.size[order])
    # The first unit, if there is one, begins a signature.
    starts = np.concatenate((np.ones(min(1, len(order)), np.bool_), starts))
    return order, np.flatnonzero(starts)


def _mark_changes(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each value, from the second on, differs from the value before."""
    changed: NDArray[np.bool_] = values[1:] != values[:-1]
    return changed


def coordinate_units(units: Units, previous: NDArray[np.uint8]) -> Units:
    """The units with coordinated keys, spread evenly over 64 bits. `previous` holds a PreviousSide for each unit."""
    order = np.lexsort((units.source, units.key, previous))
    # Rank times step: keys spread evenly, since the width of a window is for uniformly distributed keys.
    step = _MAX_WORD // max(1, len(units))
    keys = np.empty_like(units.key)
    keys[order] = np.arange(len(units), dtype=np.uint64) * np.uint64(step)
    test_units = int(np.count_nonzero(previous == PreviousSide.TEST))
    untrained_units = int(np.count_nonzero(previous != PreviousSide.TRAINING))
    bounds = SideBounds(
        new=np.uint64(min(test_units * step, _MAX_WORD)),
        training=np.uint64(min(untrained_units * step, _MAX_WORD)),
    )
    return replace(units, key=keys, bounds=bounds)


def combine_group_sides(previous: NDArray[np.uint8], unit: Ints, count: int) -> NDArray[np.uint8]:
    """The PreviousSide of each of `count` groups: the lowest side of the group's old entries.

    New entries do not change the side of a group. A group with entries on both sides, after a change of group keys, counts as
    a group of the test set.
    """
    sides = np.full(count, PreviousSide.NEW, dtype=np.uint8)
    for side in (PreviousSide.TRAINING, PreviousSide.TEST):
        sides[unit[previous == side]] = side
    return sides
