"""A division of units: the window is opened, quotas are found, members follow from keys."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.highs import Solver
from twofold.split.pairs import common_pairs, pair_counts, track_pairs
from twofold.split.quotas import (
    FLOOR,
    WHOLE_PROGRAMME,
    Quotas,
    best_quotas,
    finish_quotas,
)
from twofold.split.rows import Ints, Rows
from twofold.split.units import Units
from twofold.split.whole import count_whole
from twofold.split.window import ALWAYS_OPEN, DEVIATIONS, Window, open_window

MOST_OPEN = 200_000
"""Units of the widest window, which takes about 100 bytes for each."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries of each label and of each pair of labels."""

    labels: Ints
    pairs: Ints


@dataclass(frozen=True, slots=True)
class Task:
    """Units to divide, the number of test entries to reach, and what all entries count."""

    units: Units
    grouped: bool
    fraction: Fraction
    size: int
    words: NDArray[np.uint64]
    before: Counts


@dataclass(frozen=True, slots=True)
class Division:
    """The units that are tested, a lower bound of their scaled deviation, and how that is proved."""

    test: NDArray[np.bool_]
    bound: int
    proof: str


def count(rows: Rows, label_set: NDArray[np.uint32], label_count: int) -> Counts:
    times = np.bincount(label_set, minlength=len(rows))
    return Counts(rows.totals(times, label_count), pair_counts(rows, times, label_count))


def summed_deviation(before: Ints, tested: Ints, fraction: Fraction) -> Fraction:
    """The sum of |tested - fraction * before|."""
    scaled = fraction.denominator * tested - fraction.numerator * before
    return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


def divide(task: Task, work_limit: int) -> Division:
    """Which units are tested.

    Where the window misses the floor, the whole programme is solved if it is small; if not, the window is widened as long as
    that helps. Where groups near the threshold do not add up to the size, all groups are opened.
    """
    if task.size in (0, int(task.units.size.sum())):
        return _divide_by_size(task)
    solver = Solver(work_limit)
    attempt = _divide_window(task, DEVIATIONS, ALWAYS_OPEN, solver)
    if attempt.quotas.entries != attempt.window.need:
        attempt = _divide_window(task, DEVIATIONS, len(task.units), solver)
    if attempt.quotas.proof == FLOOR or attempt.window.whole:
        return attempt.division()
    units, test = task.units, attempt.division().test
    whole = count_whole(
        units, task.before.labels, task.words, task.fraction, test, most_values=WHOLE_PROGRAMME
    )
    if whole is None:
        return _widen(task, attempt, solver).division()
    quotas = finish_quotas(whole.window, whole.x, solver)
    return Division(whole.select(units, test, quotas.x), quotas.bound, quotas.proof)


def _divide_by_size(task: Task) -> Division:
    """All units or none."""
    tested = task.before.labels if task.size else task.before.labels * 0
    deviation = summed_deviation(task.before.labels, tested, task.fraction)
    bound = int(deviation * task.fraction.denominator)
    return Division(np.full(len(task.units), task.size > 0), bound, FLOOR)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a window led to; `decided` are the units outside of it that are tested."""

    window: Window
    decided: NDArray[np.bool_]
    quotas: Quotas

    def division(self) -> Division:
        test = self.decided.copy()
        test[self.window.chosen(self.quotas.x)] = True
        return Division(test, self.quotas.bound, self.quotas.proof)


def _divide_window(task: Task, deviations: int, always_open: int, solver: Solver) -> _Attempt:
    window, decided = open_window(
        task.units,
        task.before.labels,
        task.words,
        task.fraction,
        task.size,
        always_open=always_open,
        deviations=deviations,
    )
    paired = _paired(task, window, decided)
    return _Attempt(window, decided, best_quotas(window, paired, task.words, solver))


def _widen(task: Task, attempt: _Attempt, solver: Solver) -> _Attempt:
    """The best of ever wider windows, until one is no better or would be too wide."""
    deviations = DEVIATIONS
    while not attempt.window.whole and attempt.quotas.proof != FLOOR:
        deviations *= 2
        if 2 * len(attempt.window.unit) > MOST_OPEN:
            break
        wider = _divide_window(task, deviations, ALWAYS_OPEN, solver)
        if wider.quotas.cost >= attempt.quotas.cost:
            break
        attempt = wider
    return attempt


def _paired(task: Task, window: Window, decided: NDArray[np.bool_]) -> Window:
    """The window with common pairs tracked; with groups there are none."""
    if task.grouped:
        return window
    codes = common_pairs(task.before.pairs, task.fraction, task.size)
    if len(codes) == 0:
        return window
    rows = task.units.rows
    times = np.bincount(task.units.row[decided], minlength=len(rows))
    fixed = pair_counts(rows, times, len(task.before.labels))
    return track_pairs(window, codes, task.before.pairs, fixed)
