"""Boxes, the second objective: exchange units with equal labels so that boxes come near the shares.

An image counts once for a label, even with many boxes of the label, so an optimal split can have far too few boxes of a label
on a side. Units of a signature are interchangeable for labels and pairs: an exchange changes the boxes alone.
Signature by signature, the pair that gains most is exchanged, of equals the pair nearest to the threshold, until no pair of the
nearest units gains. So of units with equal labels and equal boxes the lowest keys stay in the test set.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, LabelSets, compute_offsets, locate_values
from twofold.split.label_matrix import rank_labels
from twofold.split.sampling import Units, sort_by_signature

NEAREST = 48
SWEEPS = 6
MAX_EXCHANGES = 20_000
_CHUNK = 1 << 16


class Objective(StrEnum):
    """The balanced counts: images of each label, or images and then boxes of each label."""

    LABELS = "labels"
    LABELS_AND_BOXES = "labels-and-boxes"


@dataclass(frozen=True, slots=True)
class BoxCounts:
    """The number of boxes for each unit and each of its labels, in CSR form; `total` counts the boxes of each label.

    Unit `i` has the `counts[offsets[i]:offsets[i + 1]]`; an unlabelled unit has none. Labels are ranks of `sort_labels`.
    """

    offsets: Ints
    labels: NDArray[np.int32]
    counts: Ints
    total: Ints

    def count_test_boxes(self, test_mask: NDArray[np.bool_]) -> Ints:
        """Boxes of each label in the units of the test set."""
        # A weight for each stored value: its number of boxes if the unit is in the test set, else 0.
        weights = np.repeat(test_mask, np.diff(self.offsets)) * self.counts
        return np.bincount(self.labels, weights, len(self.total)).astype(np.int64)


def count_boxes(
    boxes: NDArray[np.uint8],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    test_mask: NDArray[np.bool_],
) -> tuple[Ints, Ints]:
    """Boxes of each label, by rank: in all entries, and in the entries of the test set.

    `boxes` has the number for each entry and each label of its set.
    """
    ranks, done = rank_labels(label_sets), 0
    # One row for each side: training, test.
    sides = np.zeros((2, len(ranks)))
    for first in range(0, len(label_set), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        offsets, positions = locate_values(label_sets.offsets, label_set[chunk])
        side = np.repeat(test_mask[chunk], np.diff(offsets))
        # Cell = side * labels + label, so one bincount counts both sides.
        cells = ranks[label_sets.labels[positions]] + len(ranks) * side
        counts = boxes[done : done + len(cells)]
        done += len(cells)
        sides += np.bincount(cells, counts, sides.size).reshape(sides.shape)
    training, test = sides.astype(np.int64)
    return training + test, test


def count_unit_boxes(
    boxes: NDArray[np.uint8], label_set: NDArray[np.uint32], label_sets: LabelSets, unit: Ints
) -> BoxCounts:
    """Add up the boxes of each unit.

    `boxes` has the number for each entry and each label of its set; `unit` is the unit of each entry.
    """
    offsets, positions = locate_values(label_sets.offsets, label_set)
    ranks = rank_labels(label_sets)[label_sets.labels[positions]]
    # One sort key for each value: the unit in the high half, the label in the low half.
    key = (np.repeat(unit, np.diff(offsets)) << np.int64(32)) | ranks
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))[: len(key)])
    counts = np.add.reduceat(boxes[order].astype(np.int64), first) if len(first) else first
    labels = (key[first] & np.int64(0xFFFFFFFF)).astype(np.int32)
    lengths = np.bincount(key[first] >> np.int64(32), minlength=int(unit.max(initial=-1)) + 1)
    return BoxCounts(
        offsets=compute_offsets(lengths),
        labels=labels,
        counts=counts,
        total=np.bincount(labels, counts, len(label_sets.names)).astype(np.int64),
    )


def balance_boxes(
    units: Units,
    boxes: BoxCounts,
    label_hashes: NDArray[np.uint64],
    test_mask: NDArray[np.bool_],
    fraction: Fraction,
) -> NDArray[np.bool_]:
    """Exchange units within signatures to bring boxes nearer to the shares. Returns the new test set."""
    test_mask, scale = test_mask.copy(), fraction.denominator
    deviation = scale * boxes.count_test_boxes(test_mask) - fraction.numerator * boxes.total
    budget = MAX_EXCHANGES
    signatures = [
        _SignatureUnits(boxes, members)
        for members in _iterate_mixed_signatures(units, boxes, label_hashes, test_mask)
    ]
    for _ in range(SWEEPS):
        done = 0
        for signature in signatures:
            while done < budget and signature.exchange(test_mask, deviation, scale):
                done += 1
        budget -= done
        if not done:
            break
    return test_mask


def _iterate_mixed_signatures(
    units: Units,
    boxes: BoxCounts,
    label_hashes: NDArray[np.uint64],
    test_mask: NDArray[np.bool_],
) -> Iterator[Ints]:
    """Yield the units, lowest key first, of each signature with units on both sides and different boxes."""
    order, first = sort_by_signature(units, label_hashes)
    edges = np.append(first, len(order))
    # The number of test units of each signature.
    test_units = np.add.reduceat(test_mask[order].astype(np.int64), edges[:-1])
    mixed = np.flatnonzero((test_units > 0) & (test_units < np.diff(edges)))
    for signature in mixed.tolist():
        members = order[edges[signature] : edges[signature + 1]]
        table = _tabulate_boxes(boxes, members)
        if table.size and np.any(table != table[0]):
            yield members


def _tabulate_boxes(boxes: BoxCounts, members: Ints) -> Ints:
    """Boxes of units of one signature (rows) by label (columns)."""
    width = int(boxes.offsets[members[0] + 1] - boxes.offsets[members[0]])
    # Units of a signature have equal labels, so their counts form a rectangular table.
    table: Ints = boxes.counts[boxes.offsets[members][:, None] + np.arange(width)]
    return table


class _SignatureUnits:
    """The units of a signature, lowest key first, and their boxes."""

    def __init__(self, boxes: BoxCounts, members: Ints) -> None:
        self._members = members
        self._table = _tabulate_boxes(boxes, members)
        first = int(boxes.offsets[members[0]])
        self._labels = boxes.labels[first : first + self._table.shape[1]]

    def exchange(self, test_mask: NDArray[np.bool_], deviation: Ints, scale: int) -> bool:
        """Exchange the pair that gains most and update `test_mask` and `deviation`. Return False if no pair gains."""
        in_test = test_mask[self._members]
        # Nearest to the threshold are the first units of the training set and the last units of the test set.
        into = np.flatnonzero(~in_test)[:NEAREST]
        out = np.flatnonzero(in_test)[::-1][:NEAREST]
        before = deviation[self._labels]
        # Axes: unit that enters, unit that leaves, label.
        moved = scale * (self._table[into][:, None] - self._table[out][None, :])
        change = np.abs(before + moved).sum(axis=2) - np.abs(before).sum()
        least = change.min()
        if least >= 0:
            return False
        distance = np.arange(len(into))[:, None] + np.arange(len(out))[None, :]
        best = int(np.argmin(np.where(change == least, distance, 2 * NEAREST)))
        added, removed = divmod(best, len(out))
        deviation[self._labels] += moved[added, removed]
        test_mask[self._members[into[added]]] = True
        test_mask[self._members[out[removed]]] = False
        return True
