"""Boxes, the second objective: units with equal labels are exchanged so that boxes come near their shares.

An image counts once for a label however many boxes of it there are, so a split at the optimum can have
far too few boxes of a label on one side. Units of one kind (equal labels and sizes) are
interchangeable for labels and pairs: exchanging them changes the boxes alone. Of each kind the pair that
gains most is exchanged, the units nearest to the threshold first, kind by kind, until no pair of the
nearest gains. So among units that are alike in labels and boxes the lowest keys are still tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.rows import Ints, LabelSets, label_order, places
from twofold.split.signatures import sort_by_signature
from twofold.split.units import Units

NEAREST = 48
SWEEPS = 6
MAX_EXCHANGES = 20_000
_CHUNK = 1 << 16


class Objective(StrEnum):
    """What is balanced: images of each label, or then also boxes of each label."""

    LABELS = "labels"
    LABELS_AND_BOXES = "labels-and-boxes"


@dataclass(frozen=True, slots=True)
class Boxes:
    """For each unit and each of its labels the number of boxes: of unit `i` the values
    `[offsets[i]:offsets[i + 1]]`, by label in label_order. `total` counts the boxes of each label."""

    offsets: Ints
    labels: NDArray[np.int32]
    counts: Ints
    total: Ints

    def tested(self, test: NDArray[np.bool_]) -> Ints:
        """Boxes of each label in the units that are tested."""
        weights = np.repeat(test, np.diff(self.offsets)) * self.counts
        return np.bincount(self.labels, weights, len(self.total)).astype(np.int64)


def count_boxes(
    boxes: NDArray[np.uint8],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    test: NDArray[np.bool_],
) -> tuple[Ints, Ints]:
    """Boxes of each label, by label_order: in all, and in the entries that are tested."""
    rank, done = _ranks(label_sets), 0
    counted = np.zeros((2, len(rank)))
    for first in range(0, len(label_set), _CHUNK):
        chosen = slice(first, first + _CHUNK)
        offsets, where = places(label_sets.offsets, label_set[chosen])
        side = np.repeat(test[chosen], np.diff(offsets))
        labels = rank[label_sets.labels[where]] + len(rank) * side
        counts = boxes[done : done + len(labels)]
        done += len(labels)
        counted += np.bincount(labels, counts, counted.size).reshape(counted.shape)
    trained, tested = counted.astype(np.int64)
    return trained + tested, tested


def _ranks(label_sets: LabelSets) -> Ints:
    rank = np.empty(len(label_sets.names), dtype=np.int64)
    rank[label_order(label_sets.names)] = np.arange(len(rank), dtype=np.int64)
    return rank


def boxes_of_units(
    boxes: NDArray[np.uint8], label_set: NDArray[np.uint32], label_sets: LabelSets, unit: Ints
) -> Boxes:
    """`boxes` are an index's: for each entry and each label of its set; `unit` is the unit of each entry."""
    offsets, where = places(label_sets.offsets, label_set)
    labels = _ranks(label_sets)[label_sets.labels[where]]
    key = (np.repeat(unit, np.diff(offsets)) << np.int64(32)) | labels
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))[: len(key)])
    counts = np.add.reduceat(boxes[order].astype(np.int64), first) if len(first) else first
    owned = (key[first] & np.int64(0xFFFFFFFF)).astype(np.int32)
    lengths = np.bincount(key[first] >> np.int64(32), minlength=int(unit.max(initial=-1)) + 1)
    return Boxes(
        offsets=np.concatenate(([0], np.cumsum(lengths))),
        labels=owned,
        counts=counts,
        total=np.bincount(owned, counts, len(label_sets.names)).astype(np.int64),
    )


def balance_boxes(
    units: Units,
    boxes: Boxes,
    words: NDArray[np.uint64],
    test: NDArray[np.bool_],
    fraction: Fraction,
) -> NDArray[np.bool_]:
    """Which units are tested when those of one kind have been exchanged."""
    test, unit = test.copy(), fraction.denominator
    deviation = unit * boxes.tested(test) - fraction.numerator * boxes.total
    left = MAX_EXCHANGES
    kinds = [_Kind(boxes, members) for members in _mixed(units, boxes, words, test)]
    for _ in range(SWEEPS):
        done = 0
        for kind in kinds:
            while done < left and kind.exchange(test, deviation, unit):
                done += 1
        left -= done
        if not done:
            break
    return test


def _mixed(
    units: Units, boxes: Boxes, words: NDArray[np.uint64], test: NDArray[np.bool_]
) -> Iterator[Ints]:
    """The units of each kind, lowest key first, where some are tested, some not, and boxes differ."""
    order, first = sort_by_signature(units, words)
    edges = np.append(first, len(order))
    tested = np.add.reduceat(test[order].astype(np.int64), edges[:-1])
    mixed = np.flatnonzero((tested > 0) & (tested < np.diff(edges)))
    for kind in mixed.tolist():
        members = order[edges[kind] : edges[kind + 1]]
        table = _table(boxes, members)
        if table.size and np.any(table != table[0]):
            yield members


def _table(boxes: Boxes, members: Ints) -> Ints:
    """Boxes of each label (columns) of units of one kind (rows)."""
    width = int(boxes.offsets[members[0] + 1] - boxes.offsets[members[0]])
    table: Ints = boxes.counts[boxes.offsets[members][:, None] + np.arange(width)]
    return table


class _Kind:
    def __init__(self, boxes: Boxes, members: Ints) -> None:
        self._members = members
        self._table = _table(boxes, members)
        first = int(boxes.offsets[members[0]])
        self._labels = boxes.labels[first : first + self._table.shape[1]]

    def exchange(self, test: NDArray[np.bool_], deviation: Ints, unit: int) -> bool:
        """Exchanges the pair that gains most, if any does; keeps `test` and `deviation` up to date."""
        tested = test[self._members]
        into = np.flatnonzero(~tested)[:NEAREST]
        out = np.flatnonzero(tested)[::-1][:NEAREST]
        here = deviation[self._labels]
        moved = unit * (self._table[into][:, None] - self._table[out][None, :])
        change = np.abs(here + moved).sum(axis=2) - np.abs(here).sum()
        least = change.min()
        if least >= 0:
            return False
        way = np.arange(len(into))[:, None] + np.arange(len(out))[None, :]
        found = int(np.argmin(np.where(change == least, way, 2 * NEAREST)))
        added, removed = divmod(found, len(out))
        deviation[self._labels] += moved[added, removed]
        test[self._members[into[added]]] = True
        test[self._members[out[removed]]] = False
        return True
