"""Solve a split with coverage, and explain why there is none.

A split without coverage comes first. If it has the coverage anyway, it is the result; otherwise its deviation shows the cost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.allocation import FLOOR, MAX_VALUES
from twofold.split.coverage import Coverage, CoverageError
from twofold.split.coverage_mip import minimize_shortfall
from twofold.split.highs import HighsSolver
from twofold.split.mip import MipResult
from twofold.split.solver import CountedSplit, SplitProblem, SplitSolution, count_units, solve

MAX_SCANNED = 32
"""Up to this minimum, each lower number is tried, the largest first; above it, a bisection finds a number that works."""

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class CoveredSolution:
    """A split with coverage, and the scaled deviation of the best known split without it."""

    solution: SplitSolution
    cost_without: int


def solve_covered(
    problem: SplitProblem, names: tuple[str, ...], work_limit: int
) -> CoveredSolution:
    """Find a split with the coverage of the problem. Raises CoverageError if none is found."""
    plain = solve(replace(problem, coverage=Coverage(0, 0)), work_limit)
    solution = plain
    if _count_shortfall(problem, plain.test_mask).any():
        solution = solve(problem, work_limit)
        if _count_shortfall(problem, solution.test_mask).any():
            raise CoverageError(_explain_shortfall(problem, solution.test_mask, names, work_limit))
    cost = _compute_cost(problem, solution.test_mask)
    cost_without = min(cost, _compute_cost(problem, plain.test_mask))
    return CoveredSolution(_raise_to_floor(problem, solution, cost), cost_without)


def _count_test_images(problem: SplitProblem, test_mask: NDArray[np.bool_]) -> Ints:
    units = problem.units
    times = np.bincount(units.row[test_mask], minlength=len(units.matrix))
    return units.matrix.sum_by_label(times, len(problem.counts.labels))


def _count_shortfall(problem: SplitProblem, test_mask: NDArray[np.bool_]) -> Ints:
    test_images = _count_test_images(problem, test_mask)
    return problem.coverage.count_shortfall(problem.counts.labels, test_images)


def _compute_cost(problem: SplitProblem, test_mask: NDArray[np.bool_]) -> int:
    """The scaled deviation, from the shares and not from the targets."""
    fraction = problem.fraction
    scaled = fraction.denominator * _count_test_images(problem, test_mask)
    return int(np.abs(scaled - fraction.numerator * problem.counts.labels).sum())


def _raise_to_floor(problem: SplitProblem, solution: SplitSolution, cost: int) -> SplitSolution:
    """The solution with a bound of at least the floor of splits with coverage, which may prove it."""
    targets = problem.coverage.clamp_shares(problem.counts.labels, problem.fraction)
    remainder = targets % problem.fraction.denominator
    floors = np.minimum(remainder, problem.fraction.denominator - remainder)
    floor = problem.compute_bound(int(floors.sum()) + problem.floor_excess)
    proof = FLOOR if cost == floor else solution.proof
    return replace(solution, bound=min(cost, max(solution.bound, floor)), proof=proof)


def _explain_shortfall(
    problem: SplitProblem,
    test_mask: NDArray[np.bool_],
    names: tuple[str, ...],
    work_limit: int,
) -> str:
    """The labels that lack images in the nearest test set, and a lower minimum that works."""
    minimum, entries = problem.coverage.minimum, problem.test_entries
    sentence = (
        f"test set of {entries} entries with at least {minimum} images of every label on each side"
    )
    counted = count_units(problem, test_mask, MAX_VALUES)
    if counted is None:
        named = _name_labels(problem, test_mask, names)
        return f"No {sentence} was found. In the nearest one {named}. Choose a lower minimum."
    solver = HighsSolver(work_limit)
    result = _minimize_shortfall(counted, minimum, solver)
    if result.x is not None:
        test_mask = counted.select_units(problem.units, test_mask, result.x)
    verb = "There is no" if result.bound else "The search, within its limits, found no"
    named = _name_labels(problem, test_mask, names)
    return f"{verb} {sentence}. In the nearest one {named}. {_suggest_minimum(counted, minimum, solver)}"


def _name_labels(
    problem: SplitProblem, test_mask: NDArray[np.bool_], names: tuple[str, ...]
) -> str:
    test_images = _count_test_images(problem, test_mask)
    short = np.flatnonzero(_count_shortfall(problem, test_mask)).tolist()
    parts = [
        f"'{names[label]}' has {test_images[label]} of {problem.counts.labels[label]} images in the test set"
        for label in short[:_MAX_NAMED]
    ]
    more = [f"{len(short) - _MAX_NAMED} more labels lack images"] if len(short) > _MAX_NAMED else []
    return ", ".join([*parts, *more])


def _minimize_shortfall(counted: CountedSplit, minimum: int, solver: HighsSolver) -> MipResult:
    coverage = replace(counted.window.coverage, minimum=minimum)
    return minimize_shortfall(replace(counted.window, coverage=coverage), counted.x, solver)


def _suggest_minimum(counted: CountedSplit, minimum: int, solver: HighsSolver) -> str:
    def works(candidate: int) -> bool:
        window = replace(
            counted.window, coverage=replace(counted.window.coverage, minimum=candidate)
        )
        result = minimize_shortfall(window, counted.x, solver)
        return result.x is not None and window.count_shortfall(result.x) == 0

    if minimum <= MAX_SCANNED:
        largest = next(filter(works, range(minimum - 1, 0, -1)), 0)
        return (
            f"The largest minimum below {minimum} that works is {largest}."
            if largest
            else "No lower minimum works."
        )
    low = _bisect(works, range(minimum))
    return f"A minimum of {low} works." if low else "Choose a lower minimum."


def _bisect(works: Callable[[int], bool], candidates: range) -> int:
    """A candidate that works, or the first; the largest if those that work are consecutive from the first on."""
    low, high = candidates[0], candidates[-1] + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if works(middle) else (low, middle)
    return low
