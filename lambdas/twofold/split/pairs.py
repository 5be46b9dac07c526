"""Pairs of labels that occur together: counted in bounded memory; common pairs are balanced like labels.

A pair of labels `a < b` has the code `a * width + b`, where the width is the number of labels, at most PAIRED_LABELS.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.split.label_matrix import LabelMatrix
from twofold.split.window import Window

PAIRED_LABELS = 2_000
MAX_TRACKED = 3_000
MIN_TRACKED = 6
TEST_ENTRIES_A_PAIR = 100
_STEP_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Entries of each label, and entries of each pair of labels by code."""

    labels: Ints
    pairs: Ints


def count_labels(
    matrix: LabelMatrix, label_set: NDArray[np.uint32], label_count: int
) -> LabelCounts:
    """Count the entries with the label sets `label_set`, in `label_count` labels and "unlabelled"."""
    times = np.bincount(label_set, minlength=len(matrix))
    return LabelCounts(
        matrix.sum_by_label(times, label_count + 1), count_pairs(matrix, times, label_count)
    )


def count_pairs(matrix: LabelMatrix, times: Ints, label_count: int) -> Ints:
    """The number of entries with both labels of each code, for `times` entries of each row.

    Rows with label counts count once. Pairs are counted among the first PAIRED_LABELS labels in byte order, to bound
    memory.
    """
    width = min(label_count, PAIRED_LABELS)
    counts = np.zeros(width * width, dtype=np.int64)
    used_rows = np.flatnonzero(times)
    for first in range(0, len(used_rows), _STEP_ROWS):
        rows = used_rows[first : first + _STEP_ROWS]
        for row, low, high in _iterate_pairs(matrix.take_rows(rows), width):
            # Takes time for each pair only. A bincount would also pass over all codes, once for each lag of a long row.
            np.add.at(counts, low * width + high, times[rows[row]])
    return counts


def _iterate_pairs(matrix: LabelMatrix, width: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield arrays (row, lower label, higher label) that together have all pairs of labels below `width` within a row.

    Round `lag` pairs each label with the label `lag` places further in the same row.
    """
    labels = matrix.labels.astype(np.int64)
    rows = matrix.compute_row_indices()
    # Labels ascend within a row, so the labels below `width` come first.
    is_paired = labels < width
    ends = (matrix.offsets[:-1] + np.bincount(rows[is_paired], minlength=len(matrix)))[rows]
    places = np.flatnonzero(is_paired)
    lag = 1
    while len(places := places[places + lag < ends[places]]):
        yield rows[places], labels[places], labels[places + lag]
        lag += 1


def select_common_pairs(counts: Ints, fraction: Fraction, test_entries: int) -> Ints:
    """The codes of the most common pairs, one for every TEST_ENTRIES_A_PAIR of `test_entries`.

    Each tracked pair moves entries when the dataset grows, so more pairs would cost stability. Pairs with a share of less
    than an entry on a side are not tracked.
    """
    # small * count >= 1, in integers.
    small = min(fraction, 1 - fraction)
    codes = np.flatnonzero(small.numerator * counts >= small.denominator)
    limit = min(MAX_TRACKED, max(MIN_TRACKED, test_entries // TEST_ENTRIES_A_PAIR))
    order = np.argsort(-counts[codes], kind="stable")
    return np.sort(codes[order[:limit]])


def track_pairs(window: Window, codes: Ints, counts: Ints, fixed: Ints) -> Window:
    """The window with an additional label for each of `codes`, after its own labels.

    `counts` has the entries of each code in all, `fixed` the entries in the test set outside the window.
    """
    label_count = len(window.images)
    width = round(len(counts) ** 0.5)
    rows = [window.matrix.compute_row_indices()]
    labels = [window.matrix.labels.astype(np.int64)]
    for row, low, high in _iterate_pairs(window.matrix, width):
        code = low * width + high
        code_index = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        is_tracked = codes[code_index] == code
        rows.append(row[is_tracked])
        labels.append(label_count + code_index[is_tracked])
    all_rows, all_labels = np.concatenate(rows), np.concatenate(labels)
    order = np.lexsort((all_labels, all_rows))
    matrix = LabelMatrix(
        offsets=compute_offsets(np.bincount(all_rows, minlength=len(window.matrix))),
        labels=all_labels[order].astype(np.int32),
        # Pairs are tracked without groups only, where the matrix is binary.
        counts=np.ones(len(order), dtype=np.int64),
    )
    return replace(
        window,
        matrix=matrix,
        images=np.concatenate((window.images, counts[codes])),
        fixed=np.concatenate((window.fixed, fixed[codes])),
    )
