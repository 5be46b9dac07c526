"""Find an allocation in a window: dual prices, then local search, then integer programmes with a proof.

In a window that is coordinated with a previous split, the last step keeps most of the previous split. Of each signature the
units of the previous test set come first, then new units, free to enter, then units of the previous training set.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.coverage_mip import minimize_shortfall
from twofold.split.diving import dive
from twofold.split.duals import allocate_by_dual_prices, allocate_by_key
from twofold.split.highs import HighsSolver
from twofold.split.local_search import SearchState, improve_by_swaps, sort_by_move_cost
from twofold.split.mip import (
    MoveColumns,
    compute_missing_weights,
    minimize_deviation,
    minimize_missing_labels,
    minimize_moves,
)
from twofold.split.neighbourhoods import improve_by_double_swaps, improve_by_exchanges
from twofold.split.subset_sum import adjust_entries
from twofold.split.window import Window

FLOOR = "integrality floor"
DUAL_BOUND = "dual bound"
OPTIMUM = "MILP optimum"
TOO_LARGE = "too large for a MILP"
INEXACT = "inexact MILP"
"""The solution of HiGHS violates a constraint in exact arithmetic."""

MAX_VALUES = 10_000
"""Non-zero values of a programme that HiGHS solves in seconds."""

PART_VALUES = (4_000, 8_000, 16_000, 16_000, 16_000)
"""Non-zero values of the programmes over parts of a larger window, one after the other."""

FAR = 2
"""Times the integrality floor: above this cost, dives take the place of programmes over parts."""

DIVE_PARTS = (40, 80, 20, 60, 100, 120)
"""A step of a dive fixes one of so many equal parts of the open signatures."""

DIVE_STEPS = 600
"""Steps of the solver after which no further dive starts."""

# The cost of all new units together, in a programme in which a unit that changes sides costs its entries.
_NEW_UNITS_COST = 0.4


@dataclass(frozen=True, slots=True)
class Allocation:
    """The number `x` of test units of each signature, with entries, scaled cost, and a lower bound of the cost with proof."""

    x: Ints
    entries: int
    cost: int
    bound: int
    proof: str


def find_allocation(
    window: Window, paired_window: Window, label_hashes: NDArray[np.uint64], solver: HighsSolver
) -> Allocation:
    """Find an allocation with the least sum of deviations.

    Among equal allocations, few labels are missing on a side and, in a coordinated window, few entries change sides.
    `paired_window` is the window with common pairs as further labels, for the dual prices. The allocation has fewer entries
    than needed only if the units of the window do not add up to the needed entries.
    """
    # The generator stops early at the floor, so the second search runs only if needed.
    candidates = _search_allocations(window, paired_window, label_hashes, solver)
    return refine_allocation(window, min(candidates, key=window.rank), solver)


def refine_allocation(window: Window, x: Ints, solver: HighsSolver) -> Allocation:
    """Improve `x` to the optimum, as far as programmes reach, and then towards a previous split."""
    allocation = _close_gap(window, x, solver)
    if window.bounds is None:
        return allocation
    coordinated_x = minimize_side_changes(window, allocation.x, solver)
    # Labels on both sides come before fewer side changes.
    required = find_required_labels(window)
    missing = _weigh_missing_labels(window, allocation.x, required)
    is_worse = _weigh_missing_labels(window, coordinated_x, required) > missing
    return allocation if is_worse else replace(allocation, x=coordinated_x)


def _search_allocations(
    window: Window, paired_window: Window, label_hashes: NDArray[np.uint64], solver: HighsSolver
) -> Iterator[Ints]:
    """Yield the result of the local search from the previous split, if any, and unless that is the floor, from dual prices."""
    if window.bounds is not None:
        yield (x := _search(window, allocate_by_key(window), label_hashes, solver))
        if window.compute_cost(x) == window.compute_floor():
            return
    x = allocate_by_dual_prices(paired_window, len(window.images))
    yield _search(window, x, label_hashes, solver)


def _search(window: Window, x: Ints, label_hashes: NDArray[np.uint64], solver: HighsSolver) -> Ints:
    # Swaps keep the number of entries, so `x` gets the exact number first.
    x = improve_by_swaps(window, adjust_entries(window, x, solver))
    if window.compute_cost(x) > window.compute_floor():
        x = improve_by_exchanges(window, label_hashes, x)
        x = improve_by_double_swaps(window, x)
    return x


def _close_gap(window: Window, x: Ints, solver: HighsSolver) -> Allocation:
    """Solve programmes if `x` is above the floor: the whole of a small window, parts of a large window."""
    floor = window.compute_floor()
    if window.compute_cost(x) == floor:
        return _make_allocation(window, x, floor, FLOOR)
    if window.count_shortfall(x):
        x = complete_coverage(window, x, solver)
    # A label of a signature is a non-zero value of the programme.
    if len(window.matrix.labels) <= MAX_VALUES:
        return _solve_whole_window(window, x, solver)
    x = _improve_large_window(window, x, solver)
    return _make_allocation(
        window, x, floor, FLOOR if window.compute_cost(x) == floor else TOO_LARGE
    )


def _improve_large_window(window: Window, x: Ints, solver: HighsSolver) -> Ints:
    """Dive if `x` is far above the floor or if programmes over parts do not reach the floor."""
    floor = window.compute_floor()
    if window.compute_cost(x) > FAR * floor:
        dived_x = improve_by_dives(window, x, solver)
        if window.rank(dived_x) < window.rank(x):
            return dived_x
    # Each part starts from the allocation of the part before; later parts are larger.
    for values in PART_VALUES:
        x = _solve_part(window, x, values, solver)
        if window.compute_cost(x) == floor:
            return x
    return improve_by_dives(window, x, solver)


def improve_by_dives(window: Window, x: Ints, solver: HighsSolver) -> Ints:
    """The best of `x` and of several dives with swaps after them, of which the first are the coarsest."""
    last_start = solver.remaining - DIVE_STEPS
    for parts in DIVE_PARTS:
        if solver.remaining < last_start or window.compute_cost(x) == window.compute_floor():
            break
        dived_x = improve_by_swaps(window, dive(window, x, parts, solver))
        x = min(x, improve_by_double_swaps(window, dived_x), key=window.rank)
    return x


def complete_coverage(window: Window, x: Ints, solver: HighsSolver) -> Ints:
    """The allocation with the least images missing from the coverage that programmes find: of a part if the window is large."""
    signatures = _sort_signatures(window, x)
    lengths = window.matrix.compute_lengths()[signatures]
    signatures = np.sort(signatures[: np.searchsorted(np.cumsum(lengths), MAX_VALUES, "right")])
    if len(signatures) == len(x):
        result = minimize_shortfall(window, x, solver)
        completed = x if result.x is None else result.x
    else:
        part = window.narrow(x, signatures)
        result = minimize_shortfall(part, x[signatures], solver)
        completed = x.copy()
        if result.x is not None:
            completed[signatures] = result.x
    return min(x, completed, key=window.rank)


def _sort_signatures(window: Window, x: Ints) -> Ints:
    """All signatures by the cost of a move; signatures with a label that lacks coverage come first."""
    signatures = sort_by_move_cost(SearchState(window, x))
    if not window.count_shortfall(x):
        return signatures
    shortfall = window.coverage.count_shortfall(window.images, window.count_test_images(x))
    is_short = window.matrix.sum_by_row((shortfall > 0).astype(np.int64)) > 0
    return np.concatenate((signatures[is_short[signatures]], signatures[~is_short[signatures]]))


def _solve_part(window: Window, x: Ints, values: int, solver: HighsSolver) -> Ints:
    """Optimize the signatures with the least move cost, of `values` labels at most; keep the others at `x`."""
    signatures = _sort_signatures(window, x)
    lengths = window.matrix.compute_lengths()[signatures]
    signatures = np.sort(signatures[: np.searchsorted(np.cumsum(lengths), values)])
    part = window.narrow(x, signatures)
    result = minimize_deviation(part, x[signatures], solver, effort=0.1)
    if result.x is None or part.rank(result.x) >= window.rank(x):
        return x
    improved = x.copy()
    improved[signatures] = result.x
    return improved


def _solve_whole_window(window: Window, x: Ints, solver: HighsSolver) -> Allocation:
    """The optimum of the window, with its proof if the window is complete."""
    result = minimize_deviation(window, x, solver)
    # The bound of a part of the units says nothing about other splits.
    bound = result.bound if window.is_complete else window.compute_floor()
    if result.x is not None and window.rank(result.x) < window.rank(x):
        x = result.x
    required = find_required_labels(window)
    if _weigh_missing_labels(window, x, required):
        x = minimize_missing_labels(window, x, required, solver)
    if window.compute_cost(x) <= bound:
        proof = FLOOR if bound == window.compute_floor() else OPTIMUM
    elif not window.is_complete:
        # The bound is for this window alone. `solver.solve` proves a bound for all units, unless that programme is too large.
        proof = TOO_LARGE
    else:
        proof = result.solution.status if result.solution.limit_reached else INEXACT
    return _make_allocation(window, x, bound, proof)


def _make_allocation(window: Window, x: Ints, bound: int, proof: str) -> Allocation:
    cost = window.compute_cost(x)
    return Allocation(x, window.count_entries(x), cost, min(bound, cost), proof)


def find_required_labels(window: Window) -> Ints:
    """Labels with a share of an image or more on each side: at one fifth, labels with 5 images."""
    small = min(window.fraction, 1 - window.fraction)
    return np.flatnonzero(small.numerator * window.images >= small.denominator)


def _weigh_missing_labels(window: Window, x: Ints, required: Ints) -> int:
    """The weight of the required labels that are missing on a side."""
    test_images = window.count_test_images(x)[required]
    is_missing = (test_images == 0) | (test_images == window.images[required])
    return int(compute_missing_weights(window, required)[is_missing].sum())


def minimize_side_changes(window: Window, x: Ints, solver: HighsSolver) -> Ints:
    """Minimize the entries that change sides, at no higher cost than `x`, in a coordinated window.

    Returns `x` itself if the solver finds no better allocation within the limits, or if the window is too large for a
    programme.
    """
    if len(window.matrix.labels) > MAX_VALUES or count_changed_entries(window, x) == 0:
        return x
    coordinated_x = minimize_moves(window, _build_moves(window), x, solver)
    if coordinated_x is None or count_changed_entries(
        window, coordinated_x
    ) >= count_changed_entries(window, x):
        return x
    return coordinated_x


def count_changed_entries(window: Window, x: Ints) -> int:
    """Entries of the window that change sides."""
    previous_test, new = window.count_previous_units()
    # Test units come first in a signature, then new units: only units beyond both change from training to test.
    leaving = np.maximum(previous_test - x, 0)
    entering = np.maximum(x - previous_test - new, 0)
    return window.count_entries(leaving + entering)


def _build_moves(window: Window) -> MoveColumns:
    """Moves from the previous test set: new units enter, then units of the training set enter, or units leave."""
    previous_test, new = window.count_previous_units()
    signatures = np.arange(len(previous_test), dtype=np.int64)
    size = window.size.astype(np.float64)
    new_cost = _NEW_UNITS_COST / (1.0 + float(new @ size))
    return MoveColumns(
        # Blocks: new units enter, training units enter, test units leave.
        base=previous_test,
        signature=np.tile(signatures, 3),
        sign=np.repeat(np.array([1, 1, -1], dtype=np.int64), len(signatures)),
        upper=np.concatenate((new, window.capacity - previous_test - new, previous_test)),
        cost=np.concatenate((new_cost * size, size, size)),
    )
