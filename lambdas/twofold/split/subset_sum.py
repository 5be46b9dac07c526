"""Subset sums: the numbers of entries that whole groups can add up to."""

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.highs import HighsSolver, MipModel
from twofold.split.window import Window

_MAX_NODES = 10_000


def find_nearest_sum(sizes: Ints, wanted: int) -> int:
    """The subset sum of `sizes` nearest to `wanted`; of two, the smaller."""
    distinct, counts = np.unique(sizes, return_counts=True)
    singles = int(counts[0]) if distinct[0] == 1 else 0
    # With enough sizes of 1, every sum can be completed to `wanted`.
    if singles >= int(distinct[-1]) - 1:
        return wanted
    # Bit n of `sums` says whether the sum n is possible. Zero is, so sums above 2 * wanted are never the nearest.
    sums, mask = 1, (1 << (2 * wanted + 1)) - 1
    for size, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        for part in _split_into_parts(min(count, 2 * wanted // size)):
            sums = (sums | sums << (size * part)) & mask
    # The highest bit up to `wanted`, and the lowest bit from `wanted` on.
    below = (sums & ((1 << (wanted + 1)) - 1)).bit_length() - 1
    above = sums >> wanted
    distance = (above & -above).bit_length() - 1 if above else wanted + 1
    return below if wanted - below <= distance else wanted + distance


def _split_into_parts(count: int) -> list[int]:
    """Split `count` into the fewest parts whose subset sums are all the numbers up to `count`."""
    parts, part = [], 1
    while count > 0:
        parts.append(min(part, count))
        count -= part
        part *= 2
    return parts


def adjust_entries(window: Window, x: Ints, solver: HighsSolver) -> Ints:
    """Move the fewest entries of `x`, near the threshold, to an allocation of exactly the needed entries.

    Returns `x` itself if the window's units do not add up to the needed entries.
    """
    missing_entries = window.needed - window.count_entries(x)
    if missing_entries == 0:
        return x
    signature = np.repeat(np.arange(len(x), dtype=np.int64), window.capacity)
    rank = np.arange(len(signature), dtype=np.int64) - window.start[signature]
    in_test = rank < x[signature]
    sizes, size_index = np.unique(window.size[signature], return_inverse=True)
    change = _solve_size_changes(sizes, size_index, in_test, missing_entries, solver)
    if change is None:
        return x
    adjusted = x.copy()
    distance = np.abs(window.short_key - window.threshold)
    for index in np.flatnonzero(change).tolist():
        # Units of this size on the side that they leave.
        pool = np.flatnonzero((size_index == index) & (in_test == (change[index] < 0)))
        moved = pool[np.argsort(distance[pool], kind="stable")[: abs(int(change[index]))]]
        np.add.at(adjusted, signature[moved], np.sign(change[index]))
    return adjusted


def _solve_size_changes(
    sizes: Ints,
    size_index: Ints,
    in_test: NDArray[np.bool_],
    missing_entries: int,
    solver: HighsSolver,
) -> Ints | None:
    """Find the change in the number of test units of each size that adds `missing` entries and moves the fewest, or None.

    The programme has columns for the entering units of each size, then columns for the leaving units.
    """
    count = len(sizes)
    training_units = np.bincount(size_index[~in_test], minlength=count)
    test_units = np.bincount(size_index[in_test], minlength=count)
    column = np.arange(2 * count, dtype=np.int64)
    right = np.array([float(missing_entries)])
    model = MipModel(
        cost=np.concatenate((sizes, sizes)).astype(np.float64),
        upper=np.concatenate((training_units, test_units)).astype(np.float64),
        integral=np.ones(2 * count, dtype=np.bool_),
        row=column * 0,
        column=column,
        value=np.concatenate((sizes, -sizes)).astype(np.float64),
        row_lower=right,
        row_upper=right,
    )
    solution = solver.minimize(model, max_nodes=_MAX_NODES)
    if solution.y is None:
        return None
    y = np.rint(solution.y).astype(np.int64)
    change = y[:count] - y[count:]
    return change if int((change * sizes).sum()) == missing_entries else None
