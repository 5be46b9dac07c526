"""A division of units: the window is opened, quotas are found, members follow from keys."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.highs import Solver
from twofold.split.pairs import common_pairs, pair_counts, track_pairs
from twofold.split.quotas import FLOOR, best_quotas
from twofold.split.rows import Ints, Rows
from twofold.split.units import Units
from twofold.split.window import ALWAYS_OPEN, Window, open_window


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
    """The units that are tested, a lower bound of their scaled deviation, how that is
    proved, and whether the time limit ended a programme."""

    test: NDArray[np.bool_]
    bound: int
    proof: str
    clock_struck: bool


def count(rows: Rows, label_set: NDArray[np.uint32], label_count: int) -> Counts:
    times = np.bincount(label_set, minlength=len(rows))
    return Counts(rows.totals(times, label_count), pair_counts(rows, times, label_count))


def summed_deviation(before: Ints, tested: Ints, fraction: Fraction) -> Fraction:
    """The sum of |tested - fraction * before|."""
    scaled = fraction.denominator * tested - fraction.numerator * before
    return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


def divide(task: Task, time_limit: float) -> Division:
    """Which units are tested.

    Where groups near the threshold do not add up to the size, all groups are opened.
    """
    solver = Solver(time_limit)
    units, entries = task.units, int(task.units.size.sum())
    if task.size in (0, entries):
        tested = task.before.labels if task.size else task.before.labels * 0
        sole = summed_deviation(task.before.labels, tested, task.fraction)
        bound = int(sole * task.fraction.denominator)
        return Division(np.full(len(units), task.size > 0), bound, FLOOR, False)
    for always_open in (ALWAYS_OPEN, len(units)):
        window, test = open_window(
            units, task.before.labels, task.words, task.fraction, task.size, always_open
        )
        quotas = best_quotas(window, _paired(task, window, test), task.words, solver)
        if quotas.entries == window.need:
            break
    test[window.chosen(quotas.x)] = True
    return Division(test, quotas.bound, quotas.proof, solver.struck)


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
