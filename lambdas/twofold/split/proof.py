"""The dual bound of a solution, with multipliers from the linear relaxation over all signatures.

It holds for every split with as many test entries and can be checked without a solver. The selection does not depend on it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twofold.split.allocation import DUAL_BOUND, FLOOR
from twofold.split.certificate import compute_total_deviation
from twofold.split.deviation_lattice import DeviationLattice, find_label_parity
from twofold.split.dual_bound import CountedUnits, DualBound, LabelCosts, prove_bound, prove_floor
from twofold.split.mip import compute_label_duals
from twofold.split.solver import SplitProblem, SplitSolution, count_units

MAX_VALUES = 100_000
"""Non-zero values of a linear relaxation that HiGHS solves in seconds."""


def prove_solution(
    problem: SplitProblem, solution: SplitSolution
) -> tuple[SplitSolution, DualBound]:
    """Return the solution, with the better of its bound and the dual bound, and the dual bound."""
    costs = _build_label_costs(problem)
    if solution.proof == FLOOR and not problem.floor_excess:
        # A split reaches the floor, so it is a possible sum.
        return solution, prove_floor(costs, lattice=None)
    cost = _compute_cost(problem, solution.test_mask)
    dual_bound = _find_dual_bound(problem, costs, solution.test_mask, cost)
    bound = int(dual_bound.bound * problem.fraction.denominator)
    is_proved = bound == cost and solution.proof != FLOOR
    proof = DUAL_BOUND if is_proved else solution.proof
    return replace(solution, bound=max(bound, solution.bound), proof=proof), dual_bound


def _build_label_costs(problem: SplitProblem) -> LabelCosts:
    images = problem.counts.labels
    least, largest = problem.coverage.compute_limits(images)
    return LabelCosts(images, least, largest, problem.fraction)


def _compute_cost(problem: SplitProblem, test_mask: NDArray[np.bool_]) -> int:
    """The total deviation, times the denominator of the fraction."""
    units, images = problem.units, problem.counts.labels
    test_units = np.bincount(units.row[test_mask], minlength=len(units.matrix))
    test_images = units.matrix.sum_by_label(test_units, len(images))
    deviation = compute_total_deviation(images, test_images, problem.fraction)
    return int(deviation * problem.fraction.denominator)


def _find_dual_bound(
    problem: SplitProblem, costs: LabelCosts, test_mask: NDArray[np.bool_], cost: int
) -> DualBound:
    """The bound of the relaxation's dual values, or of zeros if the relaxation is too large."""
    test_entries = int(problem.units.size[test_mask].sum())
    lattice = _build_lattice(problem, test_entries)
    counted = count_units(problem, test_mask, MAX_VALUES)
    duals = None if counted is None else compute_label_duals(counted.window)
    if counted is None or duals is None:
        return prove_floor(costs, lattice)
    window = counted.window
    units = CountedUnits(window.matrix, window.capacity, window.size)
    return prove_bound(units, costs, lattice, test_entries, duals, cost)


def _build_lattice(problem: SplitProblem, test_entries: int) -> DeviationLattice:
    units = problem.units
    size = np.zeros(len(units.matrix), dtype=np.int64)
    # Units with one row have one size.
    size[units.row] = units.size
    parity = find_label_parity(units.matrix, size, test_entries)
    return DeviationLattice.build(problem.counts.labels, problem.fraction, parity)
