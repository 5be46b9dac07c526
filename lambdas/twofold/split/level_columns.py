"""Levels as further columns of the label matrix: `labels 0..L-1, levels L..L+V-1, "unlabelled" L+V`.

The hash of a level has a namespace of its own, so no label can have the column of a level. Units with equal labels and
different levels have different signatures.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.levels import Levels
from twofold.split.label_matrix import LabelMatrix, hash_labels

_LOW_HALF = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Columns:
    """The matrix of a split, the row of each entry, and the hash of each column."""

    matrix: LabelMatrix
    row: NDArray[np.integer]
    hashes: NDArray[np.uint64]

    @property
    def count(self) -> int:
        return len(self.hashes)


def build_columns(
    matrix: LabelMatrix,
    label_set: NDArray[np.uint32],
    names: tuple[str, ...],
    levels: Levels | None,
) -> Columns:
    """The columns of labels, and of levels if there are any. `matrix` has a row of labels for each label set."""
    hashes = hash_labels(names)
    if levels is None:
        return Columns(matrix, label_set, hashes)
    level_hashes = _hash_levels(levels)
    row, first = _number_rows(label_set, levels)
    combined = _append_levels(
        matrix.take_rows(label_set[first]), levels.level[:, first], len(names), len(level_hashes)
    )
    return Columns(combined, row, np.concatenate((hashes[:-1], level_hashes, hashes[-1:])))


def compute_floor_excess(
    levels: Levels, entries: Ints, fraction: Fraction, test_entries: int
) -> int:
    """By how much the scaled deviations of levels exceed the sum of their floors in every split of this size.

    Every entry has one level of each member, so the test entries of a member's levels add up to `test_entries`; the nearest
    whole numbers to their shares may not. `entries` counts the entries of each level.
    """
    denominator = fraction.denominator
    member_of_level = np.array([member for member, _ in levels.names])
    low, remainder = np.divmod(fraction.numerator * entries, denominator)
    floors = np.minimum(remainder, denominator - remainder)
    excess = 0
    for member in dict.fromkeys(member_of_level.tolist()):
        mask = member_of_level == member
        missing = test_entries - int(low[mask].sum())
        # From `low`, the first entry more of a level changes the deviation by `denominator - 2 * remainder`; each further$
        # entry, and each entry fewer, changes it by `denominator`.
        first_steps = np.sort(denominator - 2 * remainder[mask])[: max(missing, 0)]
        further = abs(missing - len(first_steps))
        least = int(remainder[mask].sum() + first_steps.sum()) + denominator * further
        excess += least - int(floors[mask].sum())
    return excess


def _hash_levels(levels: Levels) -> NDArray[np.uint64]:
    digests = []
    for member, level in levels.names:
        # The length keeps the member and the level apart.
        encoded = member.encode()
        content = b"%d:%b%b" % (len(encoded), encoded, b"" if level is None else level.encode())
        namespace = b"missing level" if level is None else b"level"
        digests.append(hashlib.blake2b(content, digest_size=8, person=namespace).digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _number_rows(label_set: NDArray[np.uint32], levels: Levels) -> tuple[Ints, Ints]:
    """Number the distinct combinations of label set and levels: the number of each entry, and the first entry of each."""
    row = label_set.astype(np.int64)
    first = np.empty(0, dtype=np.int64)
    for level in levels.level:
        # Numbers are compact after each member, so the product stays far below 2**63.
        code = row * np.int64(len(levels.names)) + level
        _, first, row = np.unique(code, return_index=True, return_inverse=True)
    return row, first


def _append_levels(
    matrix: LabelMatrix, level: NDArray[np.uint32], label_count: int, level_count: int
) -> LabelMatrix:
    """The matrix with the levels of each row, `level` uint32[members, rows], before the column "unlabelled"."""
    rows = np.arange(len(matrix), dtype=np.int64)
    labels = matrix.labels.astype(np.int64)
    labels[labels == label_count] += level_count
    # One sort key for each value: the row in the high half, the column in the low half.
    keys = [(matrix.compute_row_indices() << np.int64(32)) | labels]
    keys += [(rows << np.int64(32)) | (column + np.int64(label_count)) for column in level]
    key = np.sort(np.concatenate(keys))
    return LabelMatrix(
        offsets=compute_offsets(matrix.compute_lengths() + len(level)),
        labels=(key & _LOW_HALF).astype(np.int32),
        counts=np.broadcast_to(np.int64(1), key.shape),
    )
