"""Solve a split: open a window, find an allocation, and select the units with the lowest keys.

The bound of a window holds for the window alone. If the best allocation misses the integrality floor, a programme over all
units bounds every split. The programme needs only the number of units of each signature, so the size does not grow with the
number of entries.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.split.allocation import (
    FLOOR,
    MAX_VALUES,
    Allocation,
    find_allocation,
    refine_allocation,
)
from twofold.split.certificate import compute_total_deviation
from twofold.split.coverage import NO_COVERAGE, Coverage
from twofold.split.highs import HighsSolver
from twofold.split.label_matrix import LabelMatrix, sum_label_hashes
from twofold.split.pairs import LabelCounts, count_pairs, select_common_pairs, track_pairs
from twofold.split.sampling import Units, sort_by_signature
from twofold.split.window import ALWAYS_OPEN, SIGMAS, Window, open_window

MAX_OPEN = 200_000
"""Units of the widest window, which takes about 100 bytes a unit."""


@dataclass(frozen=True, slots=True)
class SplitProblem:
    """Units to split, the number of test entries to reach, and the counts of all entries.

    The columns of the matrix are `label_count` labels, then levels, then "unlabelled"; `counts.labels` has a count for each,
    `counts.pairs` has pairs of labels alone. `floor_excess`: see `level_columns.compute_floor_excess`.
    """

    units: Units
    is_grouped: bool
    fraction: Fraction
    test_entries: int
    label_hashes: NDArray[np.uint64]
    counts: LabelCounts
    label_count: int
    floor_excess: int = 0
    coverage: Coverage = NO_COVERAGE

    def compute_bound(self, cost_bound: int) -> int:
        """The bound of the scaled deviation from a bound of costs in a window."""
        return cost_bound + self.coverage.compute_offset(self.counts.labels, self.fraction)


@dataclass(frozen=True, slots=True)
class SplitSolution:
    """Whether each unit is in the test set, a lower bound of the scaled deviation, and its proof."""

    test_mask: NDArray[np.bool_]
    bound: int
    proof: str


def solve(problem: SplitProblem, work_limit: int) -> SplitSolution:
    """Find the units of the test set within `work_limit` steps of HiGHS.

    If the window misses the floor, a programme over all units is solved if it has at most MAX_VALUES non-zero values; otherwise
    the window is widened until a wider window is no better. If groups near the threshold do not add up to the test entries, all
    groups are opened.
    """
    if problem.test_entries in (0, int(problem.units.size.sum())):
        return _solve_one_sided(problem)
    solver = HighsSolver(work_limit)
    attempt = _make_attempt(problem, SIGMAS, ALWAYS_OPEN, solver)
    if attempt.allocation.entries != attempt.window.needed:
        # Groups near the threshold do not add up to the number.
        attempt = _make_attempt(problem, SIGMAS, len(problem.units), solver)
    if attempt.allocation.proof == FLOOR or attempt.window.is_complete:
        return attempt.select_units(problem)
    test_mask = attempt.select_units(problem).test_mask
    counted = count_units(problem, test_mask, MAX_VALUES)
    if counted is None:
        return _widen_window(problem, attempt, solver).select_units(problem)
    allocation = refine_allocation(counted.window, counted.x, solver)
    test_mask = counted.select_units(problem.units, test_mask, allocation.x)
    bound = problem.compute_bound(allocation.bound)
    return SplitSolution(test_mask, bound, allocation.proof)


def _solve_one_sided(problem: SplitProblem) -> SplitSolution:
    """The solution with all units in the test set, or none."""
    images = problem.counts.labels
    test_images = images if problem.test_entries else images * 0
    deviation = compute_total_deviation(images, test_images, problem.fraction)
    bound = int(deviation * problem.fraction.denominator)
    return SplitSolution(np.full(len(problem.units), problem.test_entries > 0), bound, FLOOR)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The allocation in a window; `decided` marks the test units outside the window."""

    window: Window
    decided: NDArray[np.bool_]
    allocation: Allocation

    def rank(self) -> tuple[int, int]:
        return self.window.rank(self.allocation.x)

    def select_units(self, problem: SplitProblem) -> SplitSolution:
        test_mask = self.decided.copy()
        test_mask[self.window.select_units(self.allocation.x)] = True
        bound = problem.compute_bound(self.allocation.bound)
        return SplitSolution(test_mask, bound, self.allocation.proof)


def _make_attempt(
    problem: SplitProblem, sigmas: int, always_open: int, solver: HighsSolver
) -> _Attempt:
    window, decided = open_window(
        problem.units,
        problem.counts.labels,
        problem.label_hashes,
        problem.fraction,
        problem.test_entries,
        always_open=always_open,
        sigmas=sigmas,
        coverage=problem.coverage,
    )
    window = replace(window, floor_excess=problem.floor_excess)
    paired_window = _track_common_pairs(problem, window, decided)
    allocation = find_allocation(window, paired_window, problem.label_hashes, solver)
    return _Attempt(window, decided, allocation)


def _widen_window(problem: SplitProblem, attempt: _Attempt, solver: HighsSolver) -> _Attempt:
    """Double the width of the window until it is no better or would be too wide; return the best attempt."""
    sigmas = SIGMAS
    while not attempt.window.is_complete and attempt.allocation.proof != FLOOR:
        sigmas *= 2
        # Twice the width opens about twice the units.
        if 2 * len(attempt.window.unit) > MAX_OPEN:
            break
        wider = _make_attempt(problem, sigmas, ALWAYS_OPEN, solver)
        if wider.rank() >= attempt.rank():
            break
        attempt = wider
    return attempt


def _track_common_pairs(
    problem: SplitProblem, window: Window, decided: NDArray[np.bool_]
) -> Window:
    """The window with common pairs tracked. With groups no pair is tracked."""
    if problem.is_grouped:
        return window
    pairs = problem.counts.pairs
    codes = select_common_pairs(pairs, problem.fraction, problem.test_entries)
    if len(codes) == 0:
        return window
    matrix = problem.units.matrix
    times = np.bincount(problem.units.row[decided], minlength=len(matrix))
    fixed = count_pairs(matrix, times, problem.label_count)
    return track_pairs(window, codes, pairs, fixed)


@dataclass(frozen=True, slots=True)
class CountedWindow(Window):
    """A window over all units with only the number of units of each signature.

    Moves cost the same for all keys: `unit` and `short_key` are all zero. `select_units` and `narrow`, which need units, must
    not be called; CountedSplit selects the units. If the keys are coordinated with a previous split, `previous_units` has for
    each signature the numbers of units of the previous test set and of new units.
    """

    previous_units: tuple[Ints, Ints] | None = None

    def count_previous_units(self) -> tuple[Ints, Ints]:
        if self.previous_units is None:
            raise ValueError("The window is not coordinated with a previous split.")
        return self.previous_units


@dataclass(frozen=True, slots=True)
class CountedSplit:
    """A counted window, the signature of each row of the units (-1 for unused rows), and the allocation `x` of a split."""

    window: CountedWindow
    signature_of_row: Ints
    x: Ints

    def select_units(
        self, units: Units, test_mask: NDArray[np.bool_], x: Ints
    ) -> NDArray[np.bool_]:
        """`test_mask` with the allocation `x` in place of `self.x`: the lowest keys of each signature that differs."""
        selected = test_mask.copy()
        for signature in np.flatnonzero(x != self.x).tolist():
            members = np.flatnonzero((self.signature_of_row == signature)[units.row])
            order = np.lexsort((units.source[members], units.key[members]))
            selected[members] = False
            selected[members[order[: x[signature]]]] = True
        return selected


def count_units(
    problem: SplitProblem, test_mask: NDArray[np.bool_], max_values: int
) -> CountedSplit | None:
    """The counted split of `test_mask`, or None for a programme of more than `max_values` non-zero values."""
    units, images = problem.units, problem.counts.labels
    # Numbering takes 250 bytes for each label set, so most programmes that are too large are recognized before.
    if _bound_signature_values(units, problem.label_hashes) > max_values:
        return None
    signature_of_row, matrix, size = _number_signatures(units, problem.label_hashes)
    if len(matrix.labels) > max_values:
        return None

    def count_by_signature(mask: NDArray[np.bool_]) -> Ints:
        return np.bincount(signature_of_row[units.row[mask]], minlength=len(matrix))

    # The allocation of the split so far is the start of the programme.
    x = count_by_signature(test_mask)
    capacity = x + count_by_signature(~test_mask)
    no_short_key = np.broadcast_to(np.int64(0), (len(units),))
    previous_units = None
    if units.bounds is not None:
        previous_test = count_by_signature(units.key < units.bounds.new)
        new = count_by_signature(units.key < units.bounds.training) - previous_test
        previous_units = (previous_test, new)
    window = CountedWindow(
        fraction=problem.fraction,
        threshold=0,
        needed=int(units.size[test_mask].sum()),
        images=images,
        fixed=np.zeros(len(images), dtype=np.int64),
        matrix=matrix,
        size=size,
        start=compute_offsets(capacity),
        unit=no_short_key,
        short_key=no_short_key,
        is_complete=True,
        bounds=units.bounds,
        floor_excess=problem.floor_excess,
        coverage=problem.coverage,
        previous_units=previous_units,
    )
    return CountedSplit(window, signature_of_row, x)


def _bound_signature_values(units: Units, label_hashes: NDArray[np.uint64]) -> int:
    """A lower bound of the non-zero values of all signatures: rows with different hashes are different."""
    is_used = np.zeros(len(units.matrix), dtype=np.bool_)
    is_used[units.row] = True
    rows = np.flatnonzero(is_used)
    row_hashes = sum_label_hashes(units.matrix, label_hashes)[rows]
    # One row for each distinct hash.
    first = np.unique(row_hashes, return_index=True)[1]
    return int(units.matrix.compute_lengths()[rows[first]].sum())


def _number_signatures(
    units: Units, label_hashes: NDArray[np.uint64]
) -> tuple[Ints, LabelMatrix, Ints]:
    """Return the signature of each row of the units (-1 for unused rows), and the row and the size of each signature."""
    size = np.zeros(len(units.matrix), dtype=np.int64)
    # Units with one row have one size: entries have size 1, and each group has a row of its own.
    size[units.row] = units.size
    used = np.flatnonzero(size)
    zeros = np.zeros(len(used), dtype=np.uint64)
    # One unit for each used row, so that equal rows are found by the signatures of these units.
    samples = Units(zeros, zeros, np.arange(len(used)), size[used], units.matrix.take_rows(used))
    order, first = sort_by_signature(samples, label_hashes)
    signature_of_row = np.full(len(units.matrix), -1, dtype=np.int64)
    lengths = np.diff(first, append=len(order))
    signature_of_row[used[order]] = np.repeat(np.arange(len(first)), lengths)
    rows = used[order[first]]
    return signature_of_row, units.matrix.take_rows(rows), size[rows]
