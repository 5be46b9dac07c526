"""Pairs of labels that occur together: counted in bounded memory, the common ones tracked.

A pair of labels `a < b` is the code `a * label_count + b`.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from twofold.split.rows import Ints, Rows
from twofold.split.window import Window

PAIRED_LABELS = 2_000
MAX_TRACKED = 3_000
MIN_TRACKED = 6
TEST_ENTRIES_A_PAIR = 100
_LEAST_ROWS, _MOST_ROWS = 1 << 15, 1 << 19


def pair_counts(rows: Rows, times: Ints, label_count: int) -> Ints:
    """How many entries carry both labels of each code; rows of label counts count once.

    Pairs are counted among the first PAIRED_LABELS labels, to bound memory.
    """
    side = min(label_count, PAIRED_LABELS)
    counts = np.zeros(side * side, dtype=np.int64)
    used = np.flatnonzero(times)
    # Each step goes over all codes, so it takes about as many rows.
    step = min(max(_LEAST_ROWS, len(counts)), _MOST_ROWS)
    for first in range(0, len(used), step):
        some = used[first : first + step]
        for owner, low, high in _pairs(rows.take(some)):
            seen = high < side
            weights = times[some[owner[seen]]]
            found = np.bincount(low[seen] * side + high[seen], weights, len(counts))
            counts += found.astype(np.int64)
    return counts


def _pairs(rows: Rows) -> Iterator[tuple[Ints, Ints, Ints]]:
    """All pairs of labels within a row, as (row, lower label, higher label)."""
    labels = rows.labels.astype(np.int64)
    owners = rows.owners()
    place = np.arange(len(labels), dtype=np.int64)
    end = rows.offsets[1:][owners]
    lag = 1
    while len(place := place[place + lag < end[place]]):
        yield owners[place], labels[place], labels[place + lag]
        lag += 1


def common_pairs(counts: Ints, fraction: Fraction, wanted: int) -> Ints:
    """The codes worth tracking: the most common pairs, one for every 100 test entries.

    More would be balanced at the cost of stability: each tracked pair moves entries when the
    dataset grows. A pair whose share is less than one entry on either side is not tracked.
    """
    small = min(fraction, 1 - fraction)
    codes = np.flatnonzero(small.numerator * counts >= small.denominator)
    most = min(MAX_TRACKED, max(MIN_TRACKED, wanted // TEST_ENTRIES_A_PAIR))
    order = np.argsort(-counts[codes], kind="stable")
    return np.sort(codes[order[:most]])


def track_pairs(window: Window, codes: Ints, counts: Ints, fixed: Ints) -> Window:
    """The window with each of `codes` as a label more, after the labels.

    `counts` and `fixed` are the entries of each code in all, and those tested outside the window.
    """
    label_count = len(window.images)
    side = round(len(counts) ** 0.5)
    owners, labels = [window.rows.owners()], [window.rows.labels.astype(np.int64)]
    for owner, low, high in _pairs(window.rows):
        code = np.where(high < side, low * side + high, -1)
        place = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        tracked = codes[place] == code
        owners.append(owner[tracked])
        labels.append(label_count + place[tracked])
    owner, label = np.concatenate(owners), np.concatenate(labels)
    order = np.lexsort((label, owner))
    lengths = np.bincount(owner, minlength=len(window.rows))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ones = np.ones(len(order), dtype=np.int64)
    return replace(
        window,
        rows=Rows(offsets, label[order].astype(np.int32), ones),
        images=np.concatenate((window.images, counts[codes])),
        fixed=np.concatenate((window.fixed, fixed[codes])),
    )
