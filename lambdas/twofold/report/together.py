"""Which labels occur together, and how the split divides the pairs; bounded whatever the number of labels."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.split import LabelSets
from twofold.split.pairs import pair_counts
from twofold.split.rows import Ints, Rows, canonical_rows

PAIRED_LABELS = 200
MATRIX_LABELS = 15
LISTED_PAIRS = 25
_CHUNK_ROWS = 1 << 15


def label_pairs(
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    test: NDArray[np.bool_],
    fraction: Fraction,
) -> dict[str, Any]:
    """Pairs among the PAIRED_LABELS most frequent labels: their number, the LISTED_PAIRS most frequent ones and the
    LISTED_PAIRS furthest from their share, and a square of counts for the MATRIX_LABELS most frequent labels, whose
    diagonal is the label's own. Equal counts are in the order of the labels' bytes."""
    rows, order = canonical_rows(label_sets)
    times = np.bincount(label_set, minlength=len(rows))
    images = rows.totals(times, len(order) + 1)[: len(order)]
    chosen = _most_frequent(images)
    names = [label_sets.names[order[label]] for label in chosen]
    number = _numbers(chosen, len(order) + 1)
    before = _square(rows, number, times)
    tested = _square(rows, number, np.bincount(label_set[test], minlength=len(rows)))
    first, second = np.nonzero(np.triu(before, 1))
    counts, shares = before[first, second], tested[first, second]
    off = np.abs(fraction.denominator * shares - fraction.numerator * counts)

    def listed(rank: Ints) -> list[dict[str, Any]]:
        some = np.argsort(-rank, kind="stable")[:LISTED_PAIRS].tolist()
        return [
            _pair((names[first[i]], names[second[i]]), int(counts[i]), int(shares[i]), fraction)
            for i in some
        ]

    square = before + before.T
    np.fill_diagonal(square, images[chosen])
    return {
        "labels": len(names),
        "pairs": len(counts),
        "mostFrequent": listed(counts),
        "furthest": listed(off),
        "matrix": {
            "labels": names[:MATRIX_LABELS],
            "images": square[:MATRIX_LABELS, :MATRIX_LABELS].tolist(),
        },
    }


def _most_frequent(images: Ints) -> list[int]:
    """Labels in canonical numbering; those that have no image are none."""
    order = np.argsort(-images, kind="stable")[:PAIRED_LABELS]
    return [label for label in order.tolist() if images[label]]


def _numbers(chosen: Sequence[int], label_count: int) -> NDArray[np.int32]:
    """Of each label its place among the chosen ones, or -1."""
    number = np.full(label_count, -1, dtype=np.int32)
    number[list(chosen)] = np.arange(len(chosen), dtype=np.int32)
    return number


def _square(rows: Rows, number: NDArray[np.int32], times: Ints) -> Ints:
    """Entries with both of two chosen labels, at [lower, higher]; in chunks, to bound memory."""
    size = int(number.max(initial=-1)) + 1
    total = np.zeros((size, size), dtype=np.int64)
    used = np.flatnonzero(times)
    for first in range(0, len(used), _CHUNK_ROWS):
        some = used[first : first + _CHUNK_ROWS]
        paired = _restricted(rows.take(some), number)
        total += pair_counts(paired, times[some], size).reshape(size, size)
    return total


def _restricted(rows: Rows, number: NDArray[np.int32]) -> Rows:
    """The rows with only the chosen labels, numbered in their order; rows may become empty."""
    labels = number[rows.labels]
    kept = labels >= 0
    owners, labels = rows.owners()[kept], labels[kept]
    inside = np.lexsort((labels, owners))
    lengths = np.bincount(owners, minlength=len(rows))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return Rows(offsets, labels[inside], np.broadcast_to(np.int64(1), labels.shape))


def _pair(labels: tuple[str, str], before: int, tested: int, fraction: Fraction) -> dict[str, Any]:
    return {
        "labels": list(labels),
        "before": before,
        "train": before - tested,
        "test": tested,
        "share": round(tested / before, 6),
        "deviation": str(abs(tested - fraction * before)),
    }
