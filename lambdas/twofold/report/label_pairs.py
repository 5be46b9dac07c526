"""Pairs of labels that occur together, with counts on both sides; bounded for any number of labels."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, LabelSets
from twofold.split.label_matrix import LabelMatrix, build_label_matrix
from twofold.split.pairs import count_pairs

PAIRED_LABELS = 200
MATRIX_LABELS = 15
LISTED_PAIRS = 25
_CHUNK_ROWS = 1 << 15


def count_label_pairs(
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    test_mask: NDArray[np.bool_],
    fraction: Fraction,
) -> dict[str, Any]:
    """Count the pairs among the PAIRED_LABELS most frequent labels.

    The result has the number of pairs, the LISTED_PAIRS most frequent pairs, the LISTED_PAIRS pairs furthest from their share,
    and a matrix of counts for the MATRIX_LABELS most frequent labels, with the images of each label on the diagonal. Equal
    counts are in the order of the labels' bytes.
    """
    matrix, order = build_label_matrix(label_sets)
    times = np.bincount(label_set, minlength=len(matrix))
    images = matrix.sum_by_label(times, len(order) + 1)[: len(order)]
    chosen = _select_frequent_labels(images)
    names = [label_sets.names[order[label]] for label in chosen]
    number = _number_labels(chosen, len(order) + 1)
    before = _count_chosen_pairs(matrix, number, times)
    test_counts = _count_chosen_pairs(
        matrix, number, np.bincount(label_set[test_mask], minlength=len(matrix))
    )
    first, second = np.nonzero(np.triu(before, 1))
    counts, in_test = before[first, second], test_counts[first, second]
    deviation = np.abs(fraction.denominator * in_test - fraction.numerator * counts)

    def list_pairs(rank: Ints) -> list[dict[str, Any]]:
        listed = np.argsort(-rank, kind="stable")[:LISTED_PAIRS].tolist()
        return [
            _build_pair_row(
                (names[first[i]], names[second[i]]), int(counts[i]), int(in_test[i]), fraction
            )
            for i in listed
        ]

    co_occurrence = before + before.T
    np.fill_diagonal(co_occurrence, images[chosen])
    return {
        "labels": len(names),
        "pairs": len(counts),
        "mostFrequent": list_pairs(counts),
        "furthest": list_pairs(deviation),
        "matrix": {
            "labels": names[:MATRIX_LABELS],
            "images": co_occurrence[:MATRIX_LABELS, :MATRIX_LABELS].tolist(),
        },
    }


def _select_frequent_labels(images: Ints) -> list[int]:
    """The PAIRED_LABELS labels with the most images, without labels that have none."""
    order = np.argsort(-images, kind="stable")[:PAIRED_LABELS]
    return [label for label in order.tolist() if images[label]]


def _number_labels(chosen: Sequence[int], label_count: int) -> NDArray[np.int32]:
    """The index of each label among the chosen labels, or -1."""
    number = np.full(label_count, -1, dtype=np.int32)
    number[list(chosen)] = np.arange(len(chosen), dtype=np.int32)
    return number


def _count_chosen_pairs(matrix: LabelMatrix, number: NDArray[np.int32], times: Ints) -> Ints:
    """A matrix of the entries with two chosen labels, at [lower, higher]; in chunks to bound memory."""
    size = int(number.max(initial=-1)) + 1
    counts = np.zeros((size, size), dtype=np.int64)
    used_rows = np.flatnonzero(times)
    for first in range(0, len(used_rows), _CHUNK_ROWS):
        chunk = used_rows[first : first + _CHUNK_ROWS]
        paired = _select_labels(matrix.take_rows(chunk), number)
        counts += count_pairs(paired, times[chunk], size).reshape(size, size)
    return counts


def _select_labels(matrix: LabelMatrix, number: NDArray[np.int32]) -> LabelMatrix:
    """The matrix with only the chosen labels, numbered by their index; rows may become empty."""
    labels = number[matrix.labels]
    is_chosen = labels >= 0
    rows, labels = matrix.compute_row_indices()[is_chosen], labels[is_chosen]
    order = np.lexsort((labels, rows))
    lengths = np.bincount(rows, minlength=len(matrix))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return LabelMatrix(offsets, labels[order], np.broadcast_to(np.int64(1), labels.shape))


def _build_pair_row(
    labels: tuple[str, str], before: int, test: int, fraction: Fraction
) -> dict[str, Any]:
    return {
        "labels": list(labels),
        "before": before,
        "train": before - test,
        "test": test,
        "share": round(test / before, 6),
        "deviation": str(abs(test - fraction * before)),
    }
