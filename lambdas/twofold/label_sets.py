"""Label sets in compressed sparse row (CSR) form: the labels of all sets in a row, and the offset of each set.

Functions work in chunks of consecutive sets, so temporary arrays do not grow with the dataset.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

CHUNK_VALUES = 1 << 18

# Odd multipliers of a 64-bit mixing function.
_MULTIPLIERS = tuple(
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


@dataclass(frozen=True, slots=True)
class LabelSets:
    """The label sets of a dataset: set `i` holds `labels[offsets[i]:offsets[i + 1]]`.

    Labels are indices into `names`, which is empty where only the numbers are needed.
    """

    offsets: Ints
    labels: NDArray[np.uint32]
    names: tuple[str, ...] = ()


def compute_lengths(offsets: NDArray[Any]) -> Ints:
    """The number of values in each row."""
    wide = offsets.astype(np.int64)
    return wide[1:] - wide[:-1]


def compute_offsets(lengths: NDArray[Any]) -> Ints:
    """The offsets of rows of these lengths; the last offset is the number of values."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def iterate_chunks(offsets: NDArray[Any], values: int = CHUNK_VALUES) -> Iterator[tuple[int, int]]:
    """Yield ranges [first, last) of consecutive rows with about `values` values, and at most `values` rows, each."""
    rows = offsets.size - 1
    marks = np.arange(0, int(offsets[-1]), values).astype(offsets.dtype)
    cuts = np.searchsorted(offsets[:-1], marks).tolist()
    yield from pairwise(sorted({*cuts, *range(0, rows, values), rows} if rows else ()))


def locate_values(offsets: NDArray[Any], rows: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return the offsets of the selected rows in a new CSR array, and the old position of each new value."""
    starts = offsets[rows].astype(np.int64)
    lengths = offsets[1:][rows].astype(np.int64) - starts
    new_offsets = compute_offsets(lengths)
    # Within a row, old and new positions differ by a constant.
    shift = np.repeat(starts - new_offsets[:-1], lengths)
    positions: Ints = np.arange(new_offsets[-1], dtype=np.int64) + shift
    return new_offsets, positions


def take_sets(sets: LabelSets, rows: NDArray[Any]) -> LabelSets:
    """The selected sets, in the order of `rows`; a row may be selected repeatedly."""
    offsets = compute_offsets(sets.offsets[1:][rows] - sets.offsets[rows])
    labels = np.empty(int(offsets[-1]), np.uint32)
    for first, last in iterate_chunks(offsets):
        _, positions = locate_values(sets.offsets, rows[first:last])
        labels[offsets[first] : offsets[last]] = sets.labels[positions]
    return LabelSets(offsets, labels, sets.names)


def prepend_empty_set(sets: LabelSets) -> LabelSets:
    """The sets with an empty set in front."""
    return LabelSets(np.concatenate([sets.offsets[:1], sets.offsets]), sets.labels, sets.names)


def merge_repeated_labels(
    lengths: NDArray[Any], labels: NDArray[np.uint32], counts: NDArray[np.uint8]
) -> tuple[LabelSets, NDArray[np.uint8]]:
    """Merge repeated labels of a set at the first place, and add up the `counts` modulo 256.

    Set `i` has `lengths[i]` of the consecutive `labels`. Returns the sets and the sum for each label.
    """
    row = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    # One sort key for each value: the set in the high half, the label in the low half.
    key = (row << np.int64(32)) | labels
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: key.size])
    sums = np.add.reduceat(counts[order], first, dtype=np.uint8) if first.size else counts[:0]
    # Back from the order of the keys to the order of first appearance.
    appearance = np.argsort(order[first])
    position = order[first][appearance]
    offsets = compute_offsets(np.bincount(row[position], minlength=lengths.size))
    return LabelSets(offsets, labels[position]), sums[appearance]


def find_distinct_sets(sets: LabelSets) -> tuple[NDArray[np.uint32], LabelSets]:
    """Return the number of each set among the distinct sets, and the distinct sets in order of first appearance.

    Equal sets have the same labels in the same order. Sets with equal hashes are compared label by label; after a collision
    all sets are hashed again with another salt.
    """
    for salt in count(1):
        hashes = _hash_sets(sets, salt)
        _, first, number = np.unique(hashes, return_index=True, return_inverse=True)
        if _compare_sets(sets, first[number]):
            break
    # np.unique numbers by hash: renumber by first appearance.
    order = np.argsort(first)
    rank = np.empty(order.size, np.uint32)
    rank[order] = np.arange(order.size, dtype=np.uint32)
    return rank[number], take_sets(sets, first[order])


def _hash_sets(sets: LabelSets, salt: int) -> NDArray[np.uint64]:
    hashes = np.empty(sets.offsets.size - 1, np.uint64)
    for first, last in iterate_chunks(sets.offsets):
        offsets = sets.offsets[first : last + 1]
        labels = sets.labels[offsets[0] : offsets[-1]]
        hashes[first:last] = _hash_chunk(offsets - offsets[0], labels, salt)
    return hashes


def _hash_chunk(offsets: Ints, labels: NDArray[np.uint32], salt: int) -> NDArray[np.uint64]:
    """A hash for each set: the sum modulo 2**64 of mixed words of label, rank in the set and salt, plus the length."""
    rank = np.arange(labels.size) - np.repeat(offsets[:-1], compute_lengths(offsets))
    salted_rank = rank.astype(np.uint64) + np.uint64(salt << 32)
    word = labels * _MULTIPLIERS[0] + salted_rank * _MULTIPLIERS[1]
    word = (word ^ (word >> np.uint64(30))) * _MULTIPLIERS[1]
    word = (word ^ (word >> np.uint64(27))) * _MULTIPLIERS[2]
    # The sum of a set is a difference of running sums; unsigned arithmetic wraps around.
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(word, dtype=np.uint64)])
    hashes: NDArray[np.uint64] = sums[offsets[1:]] - sums[offsets[:-1]]
    return hashes + compute_lengths(offsets).astype(np.uint64)


def _compare_sets(sets: LabelSets, others: Ints) -> bool:
    """Whether each set `i` equals the set `others[i]`."""
    for first, last in iterate_chunks(sets.offsets):
        other = take_sets(sets, others[first:last])
        offsets = sets.offsets[first : last + 1]
        if not np.array_equal(other.offsets, offsets - offsets[0]):
            return False
        if not np.array_equal(other.labels, sets.labels[offsets[0] : offsets[-1]]):
            return False
    return True
