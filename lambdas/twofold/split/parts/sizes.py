"""Numbers of entries that whole groups allow for all parts together."""

import numpy as np

from twofold.label_sets import Ints
from twofold.split.highs import HighsSolver, MipModel
from twofold.split.parts.shares import PartShares

MAX_NODES = 10_000
_EVEN = 0.2
"""The cost of an uneven distribution of all sizes together, in entries."""


def divide_sizes(sizes: Ints, wanted: Ints, shares: PartShares, solver: HighsSolver) -> Ints:
    """Find how many groups of each size go to each part, so that the parts are nearest to the `wanted` entries.

    `sizes` has the entries of each group. Returns int64[distinct sizes, parts], sizes ascending. The sum over parts of the
    distances to `wanted` is the least possible; then, within the limits of the solver, each part has its share of the groups of
    each size.
    """
    distinct, counts = np.unique(sizes, return_counts=True)
    start = _divide_greedily(distinct, counts, wanted)
    if np.array_equal(distinct @ start, wanted):
        return start
    model = _build_model(distinct, counts, wanted, shares)
    solution = solver.minimize(model, max_nodes=MAX_NODES, gap=0.5)
    if solution.y is None:
        return start
    divided = np.rint(solution.y[: start.size]).astype(np.int64).reshape(start.shape)
    is_valid = np.array_equal(divided.sum(axis=1), counts) and divided.min() >= 0
    is_nearer = measure_distance(distinct @ divided, wanted) < measure_distance(
        distinct @ start, wanted
    )
    return divided if is_valid and is_nearer else start


def measure_distance(entries: Ints, wanted: Ints) -> int:
    """The sum over parts of |entries - wanted|."""
    return int(np.abs(entries - wanted).sum())


def _divide_greedily(distinct: Ints, counts: Ints, wanted: Ints) -> Ints:
    """Give each group, the largest first, to the part with the most missing entries in proportion to its wish."""
    divided = np.zeros((len(distinct), len(wanted)), dtype=np.int64)
    missing = wanted.astype(np.int64).copy()
    for index in range(len(distinct) - 1, -1, -1):
        size, remaining = int(distinct[index]), int(counts[index])
        # Whole rounds at once: each part takes its share of the groups of this size, rounded down.
        bulk = np.maximum(missing, 0) * remaining // max(1, int(np.maximum(missing, 0).sum()))
        bulk = np.minimum(bulk, np.maximum(missing, 0) // size)
        divided[index] += bulk
        missing -= bulk * size
        for _ in range(remaining - int(bulk.sum())):
            part = int(np.argmax(missing))
            divided[index, part] += 1
            missing[part] -= size
    return divided


def _build_model(distinct: Ints, counts: Ints, wanted: Ints, shares: PartShares) -> MipModel:
    """Columns: groups by size and part; entries above and below the wish by part; groups above and below the share."""
    size_count, part_count = len(distinct), len(wanted)
    cells = size_count * part_count
    cell = np.arange(cells, dtype=np.int64)
    size, part = np.divmod(cell, part_count)
    parts = np.arange(part_count, dtype=np.int64)
    even = _EVEN / (2.0 * float(counts.sum()))
    share = (counts[size] * shares.numerators[part]) / shares.denominator
    total = float(distinct @ counts)
    # Rows: the groups of each size, the entries of each part, the share of each cell.
    entries_row, share_row = size_count + part, size_count + part_count + cell
    above, below = cells + parts, cells + part_count + parts
    over, under = cells + 2 * part_count + cell, 2 * cells + 2 * part_count + cell
    right = np.concatenate((counts, wanted, share)).astype(np.float64)
    ones = np.ones(cells)
    return MipModel(
        cost=np.concatenate((np.zeros(cells), np.ones(2 * part_count), np.full(2 * cells, even))),
        upper=np.concatenate(
            (counts[size], np.full(2 * part_count, total), np.tile(counts[size], 2))
        ).astype(np.float64),
        integral=np.arange(3 * cells + 2 * part_count) < cells,
        row=np.concatenate(
            (
                size,
                entries_row,
                size_count + parts,
                size_count + parts,
                share_row,
                share_row,
                share_row,
            )
        ),
        column=np.concatenate((cell, cell, above, below, cell, over, under)),
        value=np.concatenate(
            (ones, distinct[size], -np.ones(part_count), np.ones(part_count), ones, -ones, ones)
        ).astype(np.float64),
        row_lower=right,
        row_upper=right,
    )
