"""Integer programmes over a window: the proof of an optimum, and the allocation where local search does not reach it.

Let label `l` have the share `f n_l` with integer part `low` and remainder `r`. The deviation of an integer `t` from the share
has kinks at `low` and `low + 1` alone, so `t = low + z + u - v` with 0 <= z <= 1 and u, v >= 0 costs `r + (1 - 2 r) z + u + v`.
This is the convex hull over the integers: the bound starts at the integrality floor, not at zero as for the plain |t - f n_l|.
In code, `scaled_remainder` is `r` times the denominator.

The first programme finds the least sum of deviations. Each moved unit has a tiny cost, too small to change the sum, that keeps
the solution near the allocation at the start. The second programme keeps the sum and minimizes the labels missing on a side,
where entries without a label count as half a label.
"""

from dataclasses import dataclass, replace

import numpy as np

from twofold.label_sets import Ints
from twofold.split.highs import Floats, HighsSolver, MipModel, MipSolution, compute_row_duals
from twofold.split.window import KEY_BITS, Window

MAX_NODES = 5_000
_MISSING_COST = 10_000.0
# In units of the smallest step of a sum, 1 / denominator: the total cost of moves, and the gap left open.
_SLACK = 0.2


@dataclass(frozen=True, slots=True)
class MoveColumns:
    """Columns of a programme: column `i` moves up to `upper[i]` units of `signature[i]`, on top of the allocation `base`.

    `sign` is 1 for units entering the test set, -1 for units leaving the test set. The columns form blocks with a column for
    each signature and a common sign; among blocks with equal signs, the first block is filled first.
    """

    base: Ints
    signature: Ints
    sign: Ints
    upper: Ints
    cost: Floats

    def apply(self, y: Floats) -> Ints:
        """The allocation for the column values `y`."""
        x = self.base.copy()
        moved = np.rint(y[: len(self.signature)]).astype(np.int64)
        np.add.at(x, self.signature, self.sign * moved)
        return x

    def compute_values(self, x: Ints) -> Floats:
        """The column values for the allocation `x`."""
        remaining = {1: np.maximum(x - self.base, 0), -1: np.maximum(self.base - x, 0)}
        values = []
        # A block has `len(x)` consecutive columns.
        for block in np.split(np.arange(len(self.sign)), len(self.sign) // max(1, len(x))):
            sign = int(self.sign[block[0]])
            values.append(np.minimum(remaining[sign], self.upper[block]))
            remaining[sign] = remaining[sign] - values[-1]
        return np.concatenate(values).astype(np.float64)

    @classmethod
    def build(cls, window: Window, x: Ints) -> "MoveColumns":
        """Two blocks around the allocation `x`: entering units, then leaving units."""
        signatures = np.arange(len(x), dtype=np.int64)
        return cls(
            base=x,
            signature=np.concatenate((signatures, signatures)),
            sign=np.repeat(np.array([1, -1], dtype=np.int64), len(signatures)),
            upper=np.concatenate((window.capacity - x, x)),
            cost=_compute_move_costs(window, x),
        )


@dataclass(frozen=True, slots=True)
class MipResult:
    """`x` is None if no allocation was found; `bound` is scaled like all costs."""

    x: Ints | None
    bound: int
    solution: MipSolution


def minimize_deviation(
    window: Window, x: Ints, solver: HighsSolver, effort: float = 1.0
) -> MipResult:
    """Find an allocation with the least sum of deviations, starting from `x`. `effort` scales the limit on nodes."""
    moves = MoveColumns.build(window, x)
    scale = _SLACK / (window.fraction.denominator * float(moves.cost @ moves.upper))
    moves = replace(moves, cost=moves.cost * scale)
    solution = solver.minimize(
        build_deviation_model(window, moves),
        max_nodes=limit_nodes(window, effort),
        gap=_SLACK / window.fraction.denominator,
        # An allocation that lacks coverage is no solution.
        start=None if window.count_shortfall(x) else _build_start(window, moves, x),
    )
    bound = _scale_bound(window, solution)
    return MipResult(read_allocation(window, moves, solution), bound, solution)


def compute_label_duals(window: Window) -> Floats | None:
    """The dual value of each label in the linear relaxation of the deviation, in images for each further test image.

    Returns None if HiGHS needs more steps than its limit.
    """
    signatures = np.arange(len(window.size), dtype=np.int64)
    moves = MoveColumns(
        base=np.zeros_like(signatures),
        signature=signatures,
        sign=np.ones_like(signatures),
        upper=window.capacity,
        cost=np.zeros(len(signatures)),
    )
    row_duals = compute_row_duals(build_deviation_model(window, moves))
    # The first rows are the labels'. A row dual is the price of a higher right side, so of fewer deviating images.
    return None if row_duals is None else -row_duals[: len(window.images)]


def minimize_missing_labels(window: Window, x: Ints, required: Ints, solver: HighsSolver) -> Ints:
    """Minimize the `required` labels missing on a side, at no higher cost than `x` and near `x`.

    Returns `x` itself if the solver finds no better allocation within the limits.
    """
    moves = MoveColumns.build(window, x)
    cost = window.compute_cost(x)
    model = _build_missing_model(window, moves, cost, required)
    solution = solver.minimize(model, max_nodes=limit_nodes(window, effort=0.25), gap=1.0)
    allocation = read_allocation(window, moves, solution)
    return x if allocation is None or window.compute_cost(allocation) > cost else allocation


def minimize_moves(window: Window, moves: MoveColumns, x: Ints, solver: HighsSolver) -> Ints | None:
    """Minimize the cost of the moves to within half a move, at no higher cost than `x`, starting from `x`.

    Returns None if the solver finds no allocation within the limits.
    """
    cost = window.compute_cost(x)
    solution = solver.minimize(
        _build_capped_model(window, moves, cost),
        max_nodes=limit_nodes(window, effort=0.1),
        gap=0.5,
        start=_build_start(window, moves, x),
    )
    allocation = read_allocation(window, moves, solution)
    return None if allocation is None or window.compute_cost(allocation) > cost else allocation


def compute_missing_weights(window: Window, labels: Ints) -> Ints:
    """The weight of each label that is missing on a side: 2, and 1 for the last label, "unlabelled"."""
    return np.where(labels == len(window.images) - 1, 1, 2)


def _build_start(window: Window, moves: MoveColumns, x: Ints) -> Floats:
    """The columns (moves, z, u, v) of the deviation model for the allocation `x`."""
    low = window.compute_targets() // window.fraction.denominator
    above = window.count_test_images(x) - low
    above, below = np.maximum(above, 0), np.maximum(-above, 0)
    # z is used first; it exists only for a fractional share.
    z = np.minimum(above, window.compute_floors() > 0)
    return np.concatenate((moves.compute_values(x), z, above - z, below))


def limit_nodes(window: Window, effort: float) -> int:
    """The limit on nodes: lower for larger programmes, whose nodes take longer."""
    return max(20, int(effort * min(MAX_NODES, 1_500_000 // len(window.matrix.labels))))


def _compute_move_costs(window: Window, x: Ints) -> Floats:
    """The costs of entering, then of leaving, of the next unit of each signature: the size times (1 + distance in keys)."""
    last = len(window.short_key) - 1
    following = window.start[:-1] + x
    above = window.short_key[np.minimum(following, last)] - window.threshold
    below = window.threshold - window.short_key[np.maximum(following - 1, 0)]
    distance = np.concatenate((np.maximum(0, above), np.maximum(0, below)))
    return (1.0 + distance / 2.0**KEY_BITS) * np.tile(window.size, 2)


def read_allocation(window: Window, moves: MoveColumns, solution: MipSolution) -> Ints | None:
    """The solution in integers, or None if it violates a constraint in exact arithmetic."""
    if solution.y is None:
        return None
    x = moves.apply(solution.y)
    in_bounds = bool(np.all(x >= 0) and np.all(x <= window.capacity))
    return x if in_bounds and window.count_entries(x) == window.needed else None


def _scale_bound(window: Window, solution: MipSolution) -> int:
    """The least scaled cost that the bound of the solution allows."""
    denominator = window.fraction.denominator
    scaled_remainder = int((window.compute_targets() % denominator).sum())
    if not np.isfinite(solution.bound):
        return window.compute_floor()
    # Deviations are integers after scaling, so the bound rounds up; the slack covers the cost of moves.
    bound = int(np.ceil(solution.bound * denominator - _SLACK - 1e-3))
    return max(window.compute_floor(), scaled_remainder + bound)


def build_deviation_model(window: Window, moves: MoveColumns) -> MipModel:
    """Rows: one for each label, then the number of entries. Columns: the moves, then z, u and v of each label."""
    label_count = len(window.images)
    denominator = window.fraction.denominator
    low, scaled_remainder = np.divmod(window.compute_targets(), denominator)
    label = np.arange(label_count, dtype=np.int64)
    matrix = window.matrix.take_rows(moves.signature)
    value_column = matrix.compute_row_indices()  # The rows of `matrix` are the moves.
    move = np.arange(len(moves.signature), dtype=np.int64)
    z = len(move) + label
    above, below = _bound_deviations(window)
    sizes = moves.sign * window.size[moves.signature]
    needed = window.needed - window.count_entries(moves.base)
    # t = low + z + u - v for each label, with t from the moves; then the exact number of entries.
    right = np.append(low - window.count_test_images(moves.base), needed).astype(np.float64)
    ones = np.ones(label_count)
    return MipModel(
        cost=np.concatenate((moves.cost, 1.0 - 2.0 * scaled_remainder / denominator, ones, ones)),
        upper=np.concatenate((moves.upper, (scaled_remainder > 0) * ones, above, below)),
        integral=np.arange(len(move) + 3 * label_count) < len(move),
        row=np.concatenate((matrix.labels, move * 0 + label_count, label, label, label)),
        column=np.concatenate((value_column, move, z, z + label_count, z + 2 * label_count)),
        value=np.concatenate((matrix.counts * moves.sign[value_column], sizes, -ones, -ones, ones)),
        row_lower=right,
        row_upper=right,
    )


def _bound_deviations(window: Window) -> tuple[Floats, Floats]:
    """The bounds of u and v of each label: all images, or with coverage the limits of the test images."""
    images, coverage = window.images, window.coverage
    low, scaled_remainder = np.divmod(window.compute_targets(), window.fraction.denominator)
    least, largest = coverage.compute_limits(images)
    covered = coverage.mark_covered(images)
    # A fractional target has z besides u.
    above = np.where(covered, largest - low - (scaled_remainder > 0), images)
    below = np.where(covered, low - least, images)
    return above.astype(np.float64), below.astype(np.float64)


def _build_capped_model(window: Window, moves: MoveColumns, cost: int) -> MipModel:
    """The deviation model with its deviation as a further row, at most `cost`; the objective has the moves alone."""
    model = build_deviation_model(window, moves)
    denominator = window.fraction.denominator
    scaled_remainder = window.compute_targets() % denominator
    # The remainders are a constant part of the cost. A quarter of a step allows for rounding.
    limit = (cost - int(scaled_remainder.sum())) / denominator + 0.25 / denominator
    deviation_columns = np.arange(len(moves.signature), len(model.cost), dtype=np.int64)
    return replace(
        model,
        cost=np.concatenate((moves.cost, np.zeros(len(deviation_columns)))),
        row=np.concatenate((model.row, np.full_like(deviation_columns, len(model.row_lower)))),
        column=np.concatenate((model.column, deviation_columns)),
        value=np.concatenate((model.value, model.cost[len(moves.signature) :])),
        row_lower=np.append(model.row_lower, -np.inf),
        row_upper=np.append(model.row_upper, limit),
    )


def _build_missing_model(window: Window, moves: MoveColumns, cost: int, required: Ints) -> MipModel:
    """The capped model with two rows and a column "missing" for each required label.

    The rows demand an image of the label in the test set and in the training set; "missing" replaces an image in both rows.
    """
    capped = _build_capped_model(window, moves, cost)
    low = window.compute_targets() // window.fraction.denominator
    label_count, count = len(window.images), len(required)
    z = np.tile(len(moves.signature) + required, 2)
    missing = np.tile(len(capped.cost) + np.arange(count, dtype=np.int64), 2)
    demand_row = len(capped.row_lower) + np.arange(2 * count, dtype=np.int64)
    ones = np.ones(2 * count)
    signs = np.repeat(np.array([1.0, -1.0]), count)
    # Test images low + z + u - v >= 1, and training images (images - low) - z - u + v >= 1.
    lowest = np.concatenate((1.0 - low[required], 1.0 - (window.images - low)[required]))
    return MipModel(
        cost=np.concatenate(
            (capped.cost, _MISSING_COST * compute_missing_weights(window, required))
        ),
        upper=np.concatenate((capped.upper, np.ones(count))),
        integral=np.append(capped.integral, np.zeros(count, dtype=np.bool_)),
        row=np.concatenate((capped.row, demand_row, demand_row, demand_row, demand_row)),
        column=np.concatenate((capped.column, z, z + label_count, z + 2 * label_count, missing)),
        value=np.concatenate((capped.value, signs, signs, -signs, ones)),
        row_lower=np.concatenate((capped.row_lower, lowest)),
        row_upper=np.concatenate((capped.row_upper, np.full(2 * count, np.inf))),
    )
