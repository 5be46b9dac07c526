"""The label matrix A: a row of label counts for each distinct label set, in compressed sparse row (CSR) form.

Labels are numbered in the order of the names' UTF-8 bytes, so results do not depend on the order of the input.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import (
    Ints,
    LabelSets,
    compute_lengths,
    compute_offsets,
    iterate_chunks,
    locate_values,
)

RowContent = tuple[tuple[int, ...], tuple[int, ...]]
"""The labels of a row and their counts."""

_LOW_HALF = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class LabelMatrix:
    """A sparse matrix of non-negative integers: rows are label sets or groups, columns are labels.

    Row `i` has the values `counts[offsets[i]:offsets[i + 1]]` in the columns `labels[offsets[i]:offsets[i + 1]]`. No row is
    empty.
    """

    offsets: Ints
    labels: NDArray[np.int32]
    counts: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def is_binary(self) -> bool:
        """Whether all stored values are 1."""
        return not np.any(self.counts != 1)

    def compute_lengths(self) -> Ints:
        """The number of labels in each row."""
        return compute_lengths(self.offsets)

    def compute_row_indices(self) -> Ints:
        """The row of each stored value."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.compute_lengths())

    def sum_by_row(self, values: Ints) -> Ints:
        """The product A @ values: for each row the sum of `values[label] * count`, modulo 2**64."""
        sums = np.zeros(len(self), dtype=np.int64)
        for first, last in iterate_chunks(self.offsets):
            low, high = self.offsets[first], self.offsets[last]
            terms = values[self.labels[low:high]] * self.counts[low:high]
            sums[first:last] = np.add.reduceat(terms, self.offsets[first:last] - low)
        return sums

    def sum_by_label(self, times: Ints, label_count: int) -> Ints:
        """The product times @ A: for each label the sum over rows of `times[row] * count`."""
        sums = np.zeros(label_count, dtype=np.int64)
        lengths = self.compute_lengths()
        for first, last in iterate_chunks(self.offsets):
            low, high = self.offsets[first], self.offsets[last]
            weights = np.repeat(times[first:last], lengths[first:last]) * self.counts[low:high]
            # Float sums of integers below 2**53 are exact.
            chunk = np.bincount(self.labels[low:high], weights=weights, minlength=label_count)
            sums += chunk.astype(np.int64)
        return sums

    def take_rows(self, rows: NDArray[np.integer]) -> "LabelMatrix":
        """The matrix of the selected rows, in the order of `rows`."""
        offsets, positions = locate_values(self.offsets, rows)
        return LabelMatrix(offsets, self.labels[positions], self.counts[positions])

    def read_row(self, row: int) -> RowContent:
        """The content of a row as a hashable value."""
        values = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        return tuple(self.labels[values].tolist()), tuple(self.counts[values].tolist())


def sort_labels(names: tuple[str, ...]) -> list[int]:
    """Label numbers in the order of the names' UTF-8 bytes."""
    return sorted(range(len(names)), key=lambda label: _encode_name(names[label]))


def rank_labels(label_sets: LabelSets) -> Ints:
    """For each label number of `label_sets` the rank in `sort_labels`."""
    ranks = np.empty(len(label_sets.names), dtype=np.int64)
    ranks[sort_labels(label_sets.names)] = np.arange(len(ranks), dtype=np.int64)
    return ranks


def hash_labels(names: tuple[str, ...]) -> NDArray[np.uint64]:
    """A 64-bit hash of each label's name, and at the end the hash of "unlabelled"."""
    digests = [hashlib.blake2b(_encode_name(name), digest_size=8).digest() for name in names]
    # The personalization keeps the hash different from that of a label with an empty name.
    digests.append(hashlib.blake2b(b"", digest_size=8, person=b"unlabelled").digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _encode_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def build_label_matrix(label_sets: LabelSets) -> tuple[LabelMatrix, list[int]]:
    """Return a row of distinct labels for each label set, and the labels of the columns as `sort_labels` orders them.

    An empty set has the label `len(names)`: unlabelled entries count as a label of their own.
    """
    order = sort_labels(label_sets.names)
    ranks = np.empty(len(order) + 1, dtype=np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    lengths = compute_lengths(label_sets.offsets)
    labels = ranks[label_sets.labels]
    if np.any(lengths == 0):
        # Insert the label "unlabelled" where an empty set begins.
        positions = label_sets.offsets[:-1][lengths == 0]
        labels = np.insert(labels, positions, np.int32(len(order)))
        lengths = np.maximum(lengths, 1)
    return _drop_repeated_labels(labels, lengths), order


def _drop_repeated_labels(labels: NDArray[np.int32], lengths: Ints) -> LabelMatrix:
    """Sort the labels of each row and drop repeated labels: in place, in chunks to bound memory."""
    offsets = compute_offsets(lengths)
    lengths, end = lengths.copy(), 0
    for first, last in iterate_chunks(offsets):
        low, high = offsets[first], offsets[last]
        rows = np.repeat(np.arange(last - first, dtype=np.int64), lengths[first:last])
        # One sort key for each value: the row of the chunk in the high half, the label in the low half.
        keys = (rows << np.int64(32)) | labels[low:high]
        if np.any(keys[1:] <= keys[:-1]):
            keys.sort()
            keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
            lengths[first:last] = np.bincount(keys >> np.int64(32), minlength=last - first)
        # The kept labels never overtake the labels still to be read.
        labels[end : end + len(keys)] = keys & _LOW_HALF
        end += len(keys)
    # A view of a single 1: takes no memory.
    counts = np.broadcast_to(np.int64(1), (end,))
    return LabelMatrix(compute_offsets(lengths), labels[:end], counts)


def sum_label_hashes(matrix: LabelMatrix, label_hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The sum of each row's label hashes, modulo 2**64. Removing a label subtracts its hash.

    Different rows can have equal sums.
    """
    return matrix.sum_by_row(label_hashes.view(np.int64)).view(np.uint64)


def rank_rows(matrix: LabelMatrix, row_hashes: NDArray[np.uint64]) -> Ints:
    """A rank for each row: two rows are equal if and only if both hash and rank are equal.

    The rank is 0 for rows without a hash collision.
    """
    ranks = np.zeros(len(matrix), dtype=np.int64)
    order = np.argsort(row_hashes, kind="stable")
    # Neighbours in the order of hashes, where these are equal.
    places = np.flatnonzero(row_hashes[order][1:] == row_hashes[order][:-1])
    if not len(places):
        return ranks
    equal = _compare_rows(matrix, order[places], order[places + 1])
    for shared_hash in np.unique(row_hashes[order[places[~equal]]]):
        members = np.flatnonzero(row_hashes == shared_hash).tolist()
        contents = [matrix.read_row(member) for member in members]
        numbers = {content: number for number, content in enumerate(sorted(set(contents)))}
        ranks[members] = [numbers[content] for content in contents]
    return ranks


def _compare_rows(matrix: LabelMatrix, left: Ints, right: Ints) -> NDArray[np.bool_]:
    """Whether the rows `left[i]` and `right[i]` are equal; in chunks to bound memory."""
    lengths = matrix.compute_lengths()
    equal: NDArray[np.bool_] = lengths[left] == lengths[right]
    comparable = np.flatnonzero(equal)
    for first, last in iterate_chunks(compute_offsets(lengths[left[comparable]])):
        pairs = comparable[first:last]
        offsets, left_values = locate_values(matrix.offsets, left[pairs])
        _, right_values = locate_values(matrix.offsets, right[pairs])
        same = matrix.labels[left_values] == matrix.labels[right_values]
        same &= matrix.counts[left_values] == matrix.counts[right_values]
        equal[pairs] = np.logical_and.reduceat(same, offsets[:-1])
    return equal
