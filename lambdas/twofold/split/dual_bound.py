"""A lower bound of the total deviation that integers alone prove: Lagrangian relaxation with rational multipliers.

Let label `l` have the multiplier u_l, and an entry the multiplier w. For every split with K test entries

    sum over labels l of |t_l - f n_l|  =  sum over l of (|t_l - f n_l| - u_l t_l)  +  sum over l of u_l t_l

The first sum is at least the sum of its minima over whole numbers 0 <= t_l <= n_l, or within limits that are demanded of t_l.
The second sum is w K plus, for each unit of the test set, its *reduced cost*: the sum of u_l over its labels, less w times its
size. So it is at least w K plus all negative reduced costs of all units. Any multipliers prove a bound, from any source;
with all multipliers zero the bound is the integrality floor. Dual values of the linear relaxation are good multipliers.
`deviation_lattice` rounds the bound up.

In code, multipliers and costs are integers: they are multiplied by `scale` q, where q is the denominator of the fraction.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.split.deviation_lattice import DeviationLattice
from twofold.split.label_matrix import LabelMatrix

SCALES = (1, 2, 3, 4, 6, 12, 60, 1_000, 1_000_000)
"""Candidates for the denominator of the multipliers, in multiples of the fraction's denominator."""

MAX_PASSES = 1_000
"""Passes over all multipliers that bring them nearer to zero. A few suffice."""

_ALL = slice(None)
_MAX_SUM = 1 << 62
_MAX_MULTIPLIER = 16
"""In images. Without limits on test images dual values are from -1 to 1; larger ones pay only with limits, and seldom."""

# Dual values are rounded to this step first, so that the last bits of a float never decide a tie.
_DUAL_STEP = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CountedUnits:
    """`capacity[s]` units with the labels of row `s` of `matrix` and `size[s]` entries."""

    matrix: LabelMatrix
    capacity: Ints
    size: Ints


@dataclass(frozen=True, slots=True)
class LabelCosts:
    """The images of each label in all units, and the least and the largest number of its test images."""

    images: Ints
    least: Ints
    largest: Ints
    fraction: Fraction

    def compute(self, labels: slice, scale: int, multipliers: Ints) -> Ints:
        """For each of the labels the least of |t - f n| - u t over all possible t, times scale * q."""
        images, least, largest = self.images[labels], self.least[labels], self.largest[labels]
        shares = self.fraction.numerator * images
        low = shares // self.fraction.denominator
        # The function of t is convex with kinks next to the share, so the minimum is there or at an end.
        inner = (np.clip(low, least, largest), np.clip(low + 1, least, largest))
        candidates = np.stack((least, *inner, largest))
        deviation = np.abs(self.fraction.denominator * candidates - shares)
        costs: Ints = (scale * deviation - multipliers * candidates).min(axis=0)
        return costs


@dataclass(frozen=True, slots=True)
class DualBound:
    """No split has a total deviation below `value`, and so none below `bound`, the next possible sum of deviations.

    `labels` has the multiplier of each label and `entries` that of an entry, both times `denominator`. They are as near to zero
    as `value` allows: each of them, moved towards zero by 1 / `denominator` alone, proves less.
    """

    denominator: int
    labels: Ints
    entries: int
    value: Fraction
    bound: Fraction


def prove_bound(
    units: CountedUnits,
    costs: LabelCosts,
    lattice: DeviationLattice,
    test_entries: int,
    dual_values: NDArray[np.float64],
    deviation: int,
) -> DualBound:
    """The best bound of roundings of `dual_values`, one for each label, and of multipliers that are all zero.

    `deviation` is the total deviation of a split, times the denominator of the fraction; no better bound is sought.
    """
    denominator = costs.fraction.denominator
    floor_bound = prove_floor(costs, lattice)
    best, best_bound = None, int(floor_bound.bound * denominator)
    for scale in SCALES:
        if best_bound >= deviation or _may_overflow(units, costs, scale):
            break
        multipliers = _round_multipliers(dual_values, scale * denominator)
        relaxation = _Relaxation(units, costs, test_entries, scale, multipliers)
        bound = lattice.round_up(relaxation.compute_value_ceiling())
        if bound > best_bound:
            best, best_bound = relaxation, bound
    if best is None or not best.shrink_multipliers():
        return floor_bound
    # Smaller multipliers can prove more.
    return _make_dual_bound(best, lattice.round_up(best.compute_value_ceiling()))


def _round_multipliers(dual_values: NDArray[np.float64], denominator: int) -> Ints:
    """The nearest multiples of 1 / denominator, times the denominator."""
    exact_values = np.rint(dual_values * _DUAL_STEP).astype(np.int64).tolist()
    return np.array(
        [(2 * value * denominator + _DUAL_STEP) // (2 * _DUAL_STEP) for value in exact_values],
        dtype=np.int64,
    )


def prove_floor(costs: LabelCosts, lattice: DeviationLattice | None) -> DualBound:
    """The bound of multipliers that are all zero: the integrality floor, rounded up to a possible sum if `lattice` is given."""
    zeros = np.zeros_like(costs.images)
    floor = int(costs.compute(_ALL, scale=1, multipliers=zeros).sum())
    denominator = costs.fraction.denominator
    bound = lattice.round_up(floor) if lattice else floor
    return DualBound(1, zeros, 0, Fraction(floor, denominator), Fraction(bound, denominator))


def compute_unit_cost(
    matrix: LabelMatrix, capacity: Ints, size: Ints, prices: Iterable[tuple[Ints, int]]
) -> int:
    """The least cost of all units, if each is in the part with its least reduced cost.

    `prices` has for each part the multipliers of the labels and of an entry. One more part, the rest, costs nothing.
    """
    least_cost = np.zeros(len(capacity), dtype=np.int64)
    for label_prices, entry_price in prices:
        np.minimum(least_cost, matrix.sum_by_row(label_prices) - entry_price * size, out=least_cost)
    return int((capacity * least_cost).sum())


def _may_overflow(units: CountedUnits, costs: LabelCosts, scale: int) -> bool:
    """Whether sums of the relaxation may need more than 62 bits."""
    images = int(costs.images.sum())
    labels = units.matrix.sum_by_row(np.ones(len(costs.images), dtype=np.int64))
    entries = int((units.capacity * units.size).sum())
    # The multiplier of an entry is at most that of a label, times the labels of a unit.
    largest = 2 * images + 2 * int(labels.max(initial=0)) * entries
    return _MAX_MULTIPLIER * scale * costs.fraction.denominator * largest >= _MAX_SUM


class _Relaxation:
    """Multipliers with the reduced costs of all units, kept up to date as multipliers move."""

    def __init__(
        self,
        units: CountedUnits,
        costs: LabelCosts,
        test_entries: int,
        scale: int,
        multipliers: Ints,
    ) -> None:
        """Start with the entry multiplier that proves most."""
        self.units, self.costs = units, costs
        self.test_entries, self.scale = test_entries, scale
        largest = _MAX_MULTIPLIER * scale * costs.fraction.denominator
        self.labels = np.clip(multipliers, -largest, largest)
        self.prices = units.matrix.sum_by_row(self.labels)
        self.entries = self._find_entry_multiplier()
        order = np.argsort(units.matrix.labels, kind="stable")
        self._rows = units.matrix.compute_row_indices()[order]
        self._counts = units.matrix.counts[order]
        self._start = compute_offsets(
            np.bincount(units.matrix.labels, minlength=len(costs.images)).astype(np.int64)
        )

    def compute_value(self) -> int:
        """The proved bound, times `scale` and the denominator of the fraction."""
        units = self.units
        costs = self.costs.compute(_ALL, self.scale, self.labels)
        prices = [(self.labels, self.entries)]
        unit_cost = compute_unit_cost(units.matrix, units.capacity, units.size, prices)
        return int(costs.sum()) + self.entries * self.test_entries + unit_cost

    def compute_value_ceiling(self) -> int:
        """The proved bound times the denominator of the fraction, rounded up."""
        return -(-self.compute_value() // self.scale)

    def shrink_multipliers(self) -> bool:
        """Bring multipliers nearer to zero until each such step of one multiplier proves less; False after MAX_PASSES."""
        for _ in range(MAX_PASSES):
            movable = self._find_movable_labels()
            for label in movable:
                self._shrink_label(label)
            if not self._shrink_entries() and not movable:
                return True
        return False

    def _compute_entry_value(self, entries: int) -> int:
        """The part of the value that depends on the entry multiplier."""
        reduced = np.minimum(self.prices - entries * self.units.size, 0)
        return entries * self.test_entries + int((self.units.capacity * reduced).sum())

    def _find_entry_multiplier(self) -> int:
        largest = int(np.abs(self.prices).max(initial=0))
        return _find_first_maximum(self._compute_entry_value, -largest, largest)

    def _shrink_entries(self) -> bool:
        sign = 1 if self.entries > 0 else -1
        size = abs(self.entries)
        least = _find_first_maximum(lambda size: self._compute_entry_value(sign * size), 0, size)
        self.entries = sign * least
        return least != size

    def _find_movable_labels(self) -> list[int]:
        """Labels whose multiplier can move towards zero by one step and prove as much."""
        step = np.sign(self.labels)
        matrix = self.units.matrix
        row = matrix.compute_row_indices()
        reduced = self.prices - self.entries * self.units.size
        moved = np.minimum(reduced[row] - step[matrix.labels] * matrix.counts, 0)
        change = (moved - np.minimum(reduced, 0)[row]) * self.units.capacity[row]
        gains = np.zeros(len(step), dtype=np.int64)
        np.add.at(gains, matrix.labels, change)
        for labels, sign in ((self.labels - step, 1), (self.labels, -1)):
            gains += sign * self.costs.compute(_ALL, self.scale, labels)
        movable: list[int] = np.flatnonzero((step != 0) & (gains >= 0)).tolist()
        return movable

    def _shrink_label(self, label: int) -> None:
        """Move the multiplier of a label to the nearest to zero of the best values between zero and itself."""
        column = slice(int(self._start[label]), int(self._start[label + 1]))
        rows, counts = self._rows[column], self._counts[column]
        current = int(self.labels[label])
        sign = 1 if current > 0 else -1
        base = (self.prices - self.entries * self.units.size)[rows] - current * counts
        capacity = self.units.capacity[rows]

        def compute_label_value(size: int) -> int:
            multiplier = np.array([sign * size], dtype=np.int64)
            cost = self.costs.compute(slice(label, label + 1), self.scale, multiplier)
            reduced = np.minimum(base + sign * size * counts, 0)
            return int(cost[0]) + int((capacity * reduced).sum())

        best = sign * _find_first_maximum(compute_label_value, 0, abs(current))
        self.labels[label] = best
        self.prices[rows] += (best - current) * counts


def _find_first_maximum(concave: Callable[[int], int], low: int, high: int) -> int:
    """The least argument from `low` to `high` with the greatest value of a concave function."""
    while low < high:
        middle = (low + high) // 2
        if concave(middle + 1) > concave(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _make_dual_bound(relaxation: _Relaxation, bound: int) -> DualBound:
    """The bound in lowest terms; `bound` is multiplied by the denominator of the fraction."""
    denominator = relaxation.scale * relaxation.costs.fraction.denominator
    divisor = math.gcd(denominator, relaxation.entries, *relaxation.labels.tolist())
    return DualBound(
        denominator=denominator // divisor,
        labels=relaxation.labels // divisor,
        entries=relaxation.entries // divisor,
        value=Fraction(relaxation.compute_value(), denominator),
        bound=Fraction(bound, relaxation.costs.fraction.denominator),
    )
