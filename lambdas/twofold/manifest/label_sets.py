"""Label sets as rows of label numbers, and which of many rows are the same."""

from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

LabelSets = tuple[NDArray[np.int64], NDArray[np.uint32]]
"""(offsets, labels): row i holds labels[offsets[i]:offsets[i + 1]]."""

CHUNK_LABELS = 1 << 18

_ODD = tuple(
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def sizes_of(offsets: NDArray[Any]) -> NDArray[np.int64]:
    """How many values lie between one offset and the next."""
    wide = offsets.astype(np.int64)
    return wide[1:] - wide[:-1]


def offsets_of(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """Where values of these sizes begin, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def with_empty_row(sets: LabelSets) -> LabelSets:
    """The same rows after an empty one."""
    offsets, labels = sets
    return np.concatenate([offsets[:1], offsets]), labels


def counted_rows(
    sizes: NDArray[Any], labels: NDArray[np.uint32], times: NDArray[np.uint8]
) -> tuple[LabelSets, NDArray[np.uint8]]:
    """Rows of `sizes` labels each with repeated labels put together where they are first, and for each label of each row the
    sum of its `times`."""
    row = np.repeat(np.arange(sizes.size, dtype=np.int64), sizes)
    key = (row << np.int64(32)) | labels
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: key.size])
    sums = np.add.reduceat(times[order], first, dtype=np.uint8) if first.size else times[:0]
    appearance = np.argsort(order[first])
    kept = order[first][appearance]
    offsets = offsets_of(np.bincount(row[kept], minlength=sizes.size))
    return (offsets, labels[kept]), sums[appearance]


def distinct_rows(sets: LabelSets) -> tuple[NDArray[np.uint32], LabelSets]:
    """The number of each row among the distinct ones, and these in the order in which they first appear.

    Rows are the same if they have the same labels in the same order. They are compared by hashes, and then label by label:
    should two rows have one hash by chance, they are hashed again in another way.
    """
    for salt in count(1):
        _, first, number = np.unique(_hashes(sets, salt), return_index=True, return_inverse=True)
        if _are_equal(sets, first[number]):
            break
    order = np.argsort(first)
    rank = np.empty(order.size, np.uint32)
    rank[order] = np.arange(order.size, dtype=np.uint32)
    return rank[number], rows_of(sets, first[order])


def spans_of(offsets: NDArray[Any], values: int = CHUNK_LABELS) -> Iterator[tuple[int, int]]:
    """Runs [first, last) of rows with about so many values each, for work that takes memory for each of them."""
    rows = offsets.size - 1
    marks = np.arange(0, int(offsets[-1]), values).astype(offsets.dtype)
    cuts = np.searchsorted(offsets[:-1], marks).tolist()
    yield from pairwise(sorted({*cuts, *range(0, rows, values), rows} if rows else ()))


def _hashes(sets: LabelSets, salt: int) -> NDArray[np.uint64]:
    offsets, labels = sets
    found = np.empty(offsets.size - 1, np.uint64)
    for first, last in spans_of(offsets):
        own = offsets[first : last + 1] - offsets[first]
        found[first:last] = _hashed(own, labels[offsets[first] : offsets[last]], salt)
    return found


def _hashed(
    offsets: NDArray[np.int64], labels: NDArray[np.uint32], salt: int
) -> NDArray[np.uint64]:
    within = np.arange(labels.size) - np.repeat(offsets[:-1], sizes_of(offsets))
    word = labels * _ODD[0] + (within.astype(np.uint64) + np.uint64(salt << 32)) * _ODD[1]
    word = (word ^ (word >> np.uint64(30))) * _ODD[1]
    word = (word ^ (word >> np.uint64(27))) * _ODD[2]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(word, dtype=np.uint64)])
    found: NDArray[np.uint64] = sums[offsets[1:]] - sums[offsets[:-1]]
    return found + sizes_of(offsets).astype(np.uint64)


def _are_equal(sets: LabelSets, others: NDArray[np.int64]) -> bool:
    """Whether each row is the same as the one that `others` names for it."""
    offsets, labels = sets
    for first, last in spans_of(offsets):
        sizes, same = rows_of(sets, others[first:last])
        own = offsets[first : last + 1] - offsets[first]
        if not np.array_equal(sizes, own):
            return False
        if not np.array_equal(same, labels[offsets[first] : offsets[last]]):
            return False
    return True


def rows_of(sets: tuple[NDArray[Any], NDArray[np.uint32]], rows: NDArray[Any]) -> LabelSets:
    """These rows, in this order and as often as they are named."""
    offsets, labels = sets
    taken = offsets_of(offsets[1:][rows] - offsets[rows])
    found = np.empty(int(taken[-1]), np.uint32)
    for first, last in spans_of(taken):
        low, high = int(taken[first]), int(taken[last])
        shift = offsets[rows[first:last]] - taken[first:last]
        found[low:high] = labels[
            np.arange(low, high) + np.repeat(shift, sizes_of(taken[first : last + 1]))
        ]
    return taken, found
