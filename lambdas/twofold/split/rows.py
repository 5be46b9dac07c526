"""Label sets, and the sparse rows that the solver counts with."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class LabelSets:
    """The label sets of a dataset: set `i` holds `labels[offsets[i]:offsets[i + 1]]`.

    Labels are indices into `names`. Neither the order of sets and labels nor repeated sets matter.
    """

    offsets: NDArray[np.int64]
    labels: NDArray[np.uint32]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse non-negative integer rows, none of them empty: row `i` has `counts` at `labels`."""

    offsets: Ints
    labels: NDArray[np.int32]
    counts: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def are_sets(self) -> bool:
        """Whether no label counts more than once in a row."""
        return not np.any(self.counts != 1)

    def lengths(self) -> Ints:
        return np.diff(self.offsets)

    def owners(self) -> Ints:
        """The row of each stored value."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths())

    def sums(self, values: Ints) -> Ints:
        """For each row the sum of `values[label] * count`; exact, in chunks to bound memory."""
        result = np.zeros(len(self), dtype=np.int64)
        for first, last in spans(self.offsets):
            low, high = self.offsets[first], self.offsets[last]
            terms = values[self.labels[low:high]] * self.counts[low:high]
            result[first:last] = np.add.reduceat(terms, self.offsets[first:last] - low)
        return result

    def totals(self, times: Ints, label_count: int) -> Ints:
        """For each label the sum over rows of `times[row] * count`."""
        result = np.zeros(label_count, dtype=np.int64)
        lengths = self.lengths()
        for first, last in spans(self.offsets):
            low, high = self.offsets[first], self.offsets[last]
            weights = np.repeat(times[first:last], lengths[first:last]) * self.counts[low:high]
            # Float sums of integers below 2**53 are exact.
            found = np.bincount(self.labels[low:high], weights=weights, minlength=label_count)
            result += found.astype(np.int64)
        return result

    def take(self, rows: Ints) -> "Rows":
        offsets, where = places(self.offsets, rows)
        return Rows(offsets=offsets, labels=self.labels[where], counts=self.counts[where])


def places(offsets: Ints, rows: NDArray[Any]) -> tuple[Ints, Ints]:
    """The offsets of these rows put one after the other, and for each value of theirs where it lies."""
    lengths = offsets[1:][rows] - offsets[rows]
    taken = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    shift = offsets[rows] - taken[:-1]
    where: Ints = np.arange(taken[-1], dtype=np.int64) + np.repeat(shift, lengths)
    return taken, where


def spans(offsets: Ints) -> list[tuple[int, int]]:
    """Consecutive runs of rows with about _CHUNK values each."""
    cuts = np.searchsorted(offsets, np.arange(0, int(offsets[-1]) + _CHUNK, _CHUNK)).tolist()
    edges = sorted({0, *cuts, len(offsets) - 1} - {len(offsets)})
    return list(pairwise(edges))


def label_order(names: tuple[str, ...]) -> list[int]:
    """Label ids in the order of their names' UTF-8 bytes: independent of who was seen first."""
    return sorted(range(len(names)), key=lambda label: _bytes(names[label]))


def label_words(names: tuple[str, ...]) -> NDArray[np.uint64]:
    """A 64-bit word for each label from its name, and one for "unlabelled" at the end."""
    digests = [hashlib.blake2b(_bytes(name), digest_size=8).digest() for name in names]
    digests.append(hashlib.blake2b(b"", digest_size=8, person=b"unlabelled").digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def canonical_rows(label_sets: LabelSets) -> tuple[Rows, list[int]]:
    """Each label set as a row of distinct labels, numbered in label_order; and that order.

    An empty set becomes the label `len(names)`: unlabelled entries count as a label of their own.
    """
    order = label_order(label_sets.names)
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    lengths = np.diff(label_sets.offsets)
    labels = rank[label_sets.labels]
    if np.any(lengths == 0):
        empty = label_sets.offsets[:-1][lengths == 0]
        labels = np.insert(labels, empty, np.int32(len(order)))
        lengths = np.maximum(lengths, 1)
    return _distinct(labels, lengths), order


def _distinct(labels: NDArray[np.int32], lengths: Ints) -> Rows:
    """Sorts the labels of each row and drops repeated ones: in place, in chunks to bound memory."""
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    lengths, kept = lengths.copy(), 0
    for first, last in spans(offsets):
        low, high = offsets[first], offsets[last]
        owners = np.repeat(np.arange(last - first, dtype=np.int64), lengths[first:last])
        pairs = (owners << np.int64(32)) | labels[low:high]
        if np.any(pairs[1:] <= pairs[:-1]):
            pairs.sort()
            pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
            lengths[first:last] = np.bincount(pairs >> np.int64(32), minlength=last - first)
        labels[kept : kept + len(pairs)] = pairs & np.int64(0xFFFFFFFF)
        kept += len(pairs)
    ones = np.broadcast_to(np.int64(1), (kept,))
    return Rows(np.concatenate(([0], np.cumsum(lengths))), labels[:kept], ones)


def row_sums_of_words(rows: Rows, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The sum of the labels' words, modulo 2**64: taking a label out subtracts its word. Different rows can have one sum."""
    return rows.sums(words.view(np.int64)).view(np.uint64)
