"""The programme that completes the coverage of an allocation, and proves how many images every allocation lacks."""

from dataclasses import replace

import numpy as np

from twofold.label_sets import Ints
from twofold.split.highs import HighsSolver, MipModel
from twofold.split.mip import MipResult, MoveColumns, limit_nodes, read_allocation
from twofold.split.window import Window

# The total cost of moves, and the gap left open, in images.
_SLACK = 0.2


def minimize_shortfall(window: Window, x: Ints, solver: HighsSolver) -> MipResult:
    """Find an allocation with the least images missing from the coverage, near `x`.

    The bound is the number of images that any allocation lacks.
    """
    moves = MoveColumns.build(window, x)
    moves = replace(moves, cost=moves.cost * (_SLACK / float(moves.cost @ moves.upper)))
    solution = solver.minimize(
        _build_shortfall_model(window, moves), max_nodes=limit_nodes(window, 1.0), gap=_SLACK
    )
    bound = int(np.ceil(solution.bound - _SLACK - 1e-3)) if np.isfinite(solution.bound) else 0
    return MipResult(read_allocation(window, moves, solution), max(bound, 0), solution)


def _build_shortfall_model(window: Window, moves: MoveColumns) -> MipModel:
    """Columns: the moves, then the missing and the surplus test images of each covered label.

    Rows: the number of entries, then for each covered label `t + missing >= least` and `t - surplus <= largest`.
    """
    covered = np.flatnonzero(window.coverage.mark_covered(window.images))
    least, largest = window.coverage.compute_limits(window.images)
    matrix = window.matrix.take_rows(moves.signature)
    value_move = matrix.compute_row_indices()
    label_row = np.full(len(window.images), -1, dtype=np.int64)
    label_row[covered] = 1 + np.arange(len(covered), dtype=np.int64)
    row = label_row[matrix.labels]
    # Values of labels without a demand are left out.
    is_used = row > 0
    row, column = row[is_used], value_move[is_used]
    value = (matrix.counts * moves.sign[value_move])[is_used]
    move = np.arange(len(moves.signature), dtype=np.int64)
    demand = label_row[covered]
    missing = len(move) + np.arange(len(covered), dtype=np.int64)
    ones, infinite = np.ones(len(covered)), np.full(len(covered), np.inf)
    test_images = window.count_test_images(moves.base)[covered]
    needed = np.array([window.needed - window.count_entries(moves.base)], dtype=np.float64)
    return MipModel(
        cost=np.concatenate((moves.cost, ones, ones)),
        upper=np.concatenate((moves.upper, np.tile(window.images[covered], 2))).astype(np.float64),
        integral=np.arange(len(move) + 2 * len(covered)) < len(move),
        row=np.concatenate((move * 0, row, row + len(covered), demand, demand + len(covered))),
        column=np.concatenate((move, column, column, missing, missing + len(covered))),
        value=np.concatenate(
            (moves.sign * window.size[moves.signature], value, value, ones, -ones)
        ).astype(np.float64),
        row_lower=np.concatenate((needed, least[covered] - test_images, -infinite)),
        row_upper=np.concatenate((needed, infinite, largest[covered] - test_images)),
    )
