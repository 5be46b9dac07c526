"""One integer programme for all parts: the least deviation with its proof, and labels in every part that should have them.

With `low` the integer part and `r` the remainder of the share of part `p` in label `l`, a number of images
t = low + z + u - v with 0 <= z <= 1 costs r + (1 - 2 r) z + u + v, as in `mip`. All images of a label are in some part, so
the relaxation starts at the joint integrality floor.
"""

from dataclasses import dataclass, replace

import numpy as np

from twofold.label_sets import Ints
from twofold.split.allocation import FLOOR, INEXACT, OPTIMUM, TOO_LARGE
from twofold.split.highs import Floats, HighsSolver, MipModel, MipSolution
from twofold.split.mip import MAX_NODES
from twofold.split.parts.pair_search import PartState

MAX_VALUES = 15_000
"""Non-zero values of label counts in a programme, over all parts."""

_NODE_VALUES = 1_500_000
_SLACK = 0.2
_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class PartsAllocation:
    """A state with a lower bound of its scaled cost, and the proof of the bound."""

    state: PartState
    bound: int
    proof: str


def close_gap(state: PartState, entries: Ints, solver: HighsSolver) -> PartsAllocation:
    """Find the least cost and prove it, if the programme over all signatures and parts is small.

    At equal cost, labels with a share of an image or more in a part are in the part, as far as possible.
    """
    floor = state.shares.compute_floor(state.images)
    if state.compute_cost() == floor:
        return PartsAllocation(state, floor, FLOOR)
    if len(state.shares) * len(state.table.matrix.labels) > MAX_VALUES:
        return PartsAllocation(state, floor, TOO_LARGE)
    model = _build_model(state, entries)
    solution = solver.minimize(
        model,
        max_nodes=_limit_nodes(state),
        gap=_SLACK / state.shares.denominator,
        start=_build_start(state),
    )
    better = _read_state(state, solution, entries)
    if better is not None and better.compute_cost() < state.compute_cost():
        state = better
    bound = min(_scale_bound(state, solution, floor), state.compute_cost())
    state = _fill_parts(state, model, entries, solver)
    return PartsAllocation(state, bound, _name_proof(state.compute_cost(), bound, floor, solution))


def _name_proof(cost: int, bound: int, floor: int, solution: MipSolution) -> str:
    if cost == bound:
        return FLOOR if bound == floor else OPTIMUM
    return solution.status if solution.limit_reached else INEXACT


def _limit_nodes(state: PartState, effort: float = 1.0) -> int:
    values = len(state.shares) * len(state.table.matrix.labels)
    return max(20, int(effort * min(MAX_NODES, _NODE_VALUES // values)))


def _scale_bound(state: PartState, solution: MipSolution, floor: int) -> int:
    """The least scaled cost that the bound of the solution allows."""
    if not np.isfinite(solution.bound):
        return floor
    denominator = state.shares.denominator
    remainders = int((state.shares.scale(state.images) % denominator).sum())
    return max(floor, remainders + int(np.ceil(solution.bound * denominator - _ROUNDING)))


def _read_state(state: PartState, solution: MipSolution, entries: Ints) -> PartState | None:
    """The solution in integers, or None if it violates a constraint in exact arithmetic."""
    if solution.y is None:
        return None
    x = np.rint(solution.y[: state.x.size]).astype(np.int64).reshape(state.x.shape)
    is_valid = x.min() >= 0 and np.array_equal(x.sum(axis=1), state.table.capacity)
    if not is_valid or not np.array_equal(state.table.count_entries(x), entries):
        return None
    return PartState.build(state.table, state.shares, state.images, x)


def _build_start(state: PartState) -> Floats:
    """The columns (x, z, u, v) for the allocation of the state."""
    low, remainder = np.divmod(state.shares.scale(state.images), state.shares.denominator)
    difference = state.part_images - low
    above, below = np.maximum(difference, 0), np.maximum(-difference, 0)
    z = np.minimum(above, remainder > 0)
    columns = (state.x, z, above - z, below)
    return np.concatenate([column.ravel() for column in columns]).astype(np.float64)


def _build_model(state: PartState, entries: Ints) -> MipModel:
    """Columns: x by signature and part, then z, u and v by part and label. Rows: images by part and label, then the units of
    each signature, then the entries of each part."""
    part_count, label_count = state.part_images.shape
    signature_count, denominator = len(state.x), state.shares.denominator
    low, remainder = np.divmod(state.shares.scale(state.images).ravel(), denominator)
    matrix = state.table.matrix
    # A value of the matrix for each part: the cell (signature, part) counts in the row (part, label).
    part = np.repeat(np.arange(part_count, dtype=np.int64), len(matrix.labels))
    value_signature = np.tile(matrix.compute_row_indices(), part_count)
    image_row = part * label_count + np.tile(matrix.labels.astype(np.int64), part_count)
    cell = np.arange(state.x.size, dtype=np.int64)
    signature, cell_part = np.divmod(cell, part_count)
    label_cell = np.arange(part_count * label_count, dtype=np.int64)
    z = state.x.size + label_cell
    unit_row = len(label_cell) + signature
    entries_row = len(label_cell) + signature_count + cell_part
    ones = np.ones(len(label_cell))
    images = np.tile(state.images, part_count).astype(np.float64)
    right = np.concatenate((low, state.table.capacity, entries)).astype(np.float64)
    return MipModel(
        cost=np.concatenate((np.zeros(len(cell)), 1.0 - 2.0 * remainder / denominator, ones, ones)),
        upper=np.concatenate(
            (state.table.capacity[signature], (remainder > 0) * ones, images, images)
        ).astype(np.float64),
        integral=np.arange(len(cell) + 3 * len(label_cell)) < len(cell),
        row=np.concatenate((image_row, label_cell, label_cell, label_cell, unit_row, entries_row)),
        column=np.concatenate(
            (
                value_signature * part_count + part,
                z,
                z + len(label_cell),
                z + 2 * len(label_cell),
                cell,
                cell,
            )
        ),
        value=np.concatenate(
            (
                np.tile(matrix.counts, part_count),
                -ones,
                -ones,
                ones,
                np.ones(len(cell)),
                state.table.size[signature],
            )
        ).astype(np.float64),
        row_lower=right,
        row_upper=right,
    )


def find_required_cells(state: PartState) -> Ints:
    """Cells `part * labels + label` with a share of an image or more."""
    return np.flatnonzero(state.shares.scale(state.images).ravel() >= state.shares.denominator)


def _weigh_missing(state: PartState, required: Ints) -> int:
    """The weight of the required cells without an image: 2, and 1 for unlabelled entries."""
    missing = required[state.part_images.ravel()[required] == 0]
    return int(_compute_weights(state, missing).sum())


def _compute_weights(state: PartState, cells: Ints) -> Ints:
    label_count = len(state.images)
    return np.where(cells % label_count == label_count - 1, 1, 2)


def _fill_parts(state: PartState, model: MipModel, entries: Ints, solver: HighsSolver) -> PartState:
    """Minimize the required cells without an image, at no higher cost."""
    required = find_required_cells(state)
    weight = _weigh_missing(state, required)
    if weight == 0:
        return state
    solution = solver.minimize(
        _build_missing_model(state, model, required),
        max_nodes=_limit_nodes(state, effort=0.25),
        gap=0.5,
    )
    filled = _read_state(state, solution, entries)
    if filled is None or filled.compute_cost() > state.compute_cost():
        return state
    return filled if _weigh_missing(filled, required) < weight else state


def _build_missing_model(state: PartState, model: MipModel, required: Ints) -> MipModel:
    """The model with the cost as a further row, and for each required cell a row that demands an image, or "missing"."""
    denominator, count = state.shares.denominator, len(required)
    remainders = int((state.shares.scale(state.images) % denominator).sum())
    limit = (state.compute_cost() - remainders + 0.25) / denominator
    costly = np.flatnonzero(model.cost)
    low = state.shares.scale(state.images).ravel()[required] // denominator
    label_cells = state.part_images.size
    z = state.x.size + required
    cost_row = len(model.row_lower)
    demand_row = cost_row + 1 + np.arange(count, dtype=np.int64)
    missing = len(model.cost) + np.arange(count, dtype=np.int64)
    ones = np.ones(count)
    return replace(
        model,
        cost=np.concatenate(
            (np.zeros(len(model.cost)), _compute_weights(state, required).astype(np.float64))
        ),
        upper=np.concatenate((model.upper, ones)),
        integral=np.append(model.integral, np.zeros(count, dtype=np.bool_)),
        row=np.concatenate(
            (model.row, np.full(len(costly), cost_row), *(demand_row for _ in range(4)))
        ),
        column=np.concatenate(
            (model.column, costly, z, z + label_cells, z + 2 * label_cells, missing)
        ),
        value=np.concatenate((model.value, model.cost[costly], ones, ones, -ones, ones)),
        row_lower=np.concatenate((model.row_lower, [-np.inf], 1.0 - low)),
        row_upper=np.concatenate((model.row_upper, [limit], np.full(count, np.inf))),
    )
