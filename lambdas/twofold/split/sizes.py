"""Which numbers of entries whole groups can add up to."""

import numpy as np
from numpy.typing import NDArray

from twofold.split.highs import Programme, Solver
from twofold.split.rows import Ints
from twofold.split.window import Window

_MAX_NODES = 10_000


def nearest_reachable(sizes: Ints, wanted: int) -> int:
    """The sum of some of `sizes` that is nearest to `wanted`; of two, the smaller."""
    distinct, counts = np.unique(sizes, return_counts=True)
    singles = int(counts[0]) if distinct[0] == 1 else 0
    if singles >= int(distinct[-1]) - 1:
        return wanted
    # Bit n of `sums` says whether n is reachable. Zero is, so nothing beyond 2 * wanted matters.
    sums, mask = 1, (1 << (2 * wanted + 1)) - 1
    for size, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        for times in _halves(min(count, 2 * wanted // size)):
            sums = (sums | sums << (size * times)) & mask
    below = (sums & ((1 << (wanted + 1)) - 1)).bit_length() - 1
    above = sums >> wanted
    distance = (above & -above).bit_length() - 1 if above else wanted + 1
    return below if wanted - below <= distance else wanted + distance


def _halves(count: int) -> list[int]:
    """Parts of `count` whose partial sums are all the numbers up to it."""
    parts, part = [], 1
    while count > 0:
        parts.append(min(part, count))
        count -= part
        part *= 2
    return parts


def sized_quotas(window: Window, x: Ints, solver: Solver) -> Ints:
    """Quotas of exactly the needed number of entries that move the fewest, near the threshold.

    `x` itself where the window's units do not add up to it.
    """
    missing = window.need - int((x * window.size).sum())
    if missing == 0:
        return x
    kind = np.repeat(np.arange(len(x), dtype=np.int64), window.capacity)
    place = np.arange(len(kind), dtype=np.int64) - window.start[kind]
    tested, size = place < x[kind], window.size[kind]
    classes, which = np.unique(size, return_inverse=True)
    change = _class_changes(classes, which, tested, missing, solver)
    if change is None:
        return x
    result = x.copy()
    way = np.abs(window.position - window.threshold)
    for index in np.flatnonzero(change).tolist():
        pool = np.flatnonzero((which == index) & (tested == (change[index] < 0)))
        moved = pool[np.argsort(way[pool], kind="stable")[: abs(int(change[index]))]]
        np.add.at(result, kind[moved], np.sign(change[index]))
    return result


def _class_changes(
    classes: Ints, which: Ints, tested: NDArray[np.bool_], missing: int, solver: Solver
) -> Ints | None:
    """How many units more (or fewer) to test of each size."""
    count = len(classes)
    outside = np.bincount(which[~tested], minlength=count)
    inside = np.bincount(which[tested], minlength=count)
    column = np.arange(2 * count, dtype=np.int64)
    cost = np.concatenate((classes, classes)).astype(np.float64)
    exact = np.array([float(missing)])
    programme = Programme(
        cost=cost,
        room=np.concatenate((outside, inside)).astype(np.float64),
        integral=np.ones(2 * count, dtype=np.bool_),
        row=column * 0,
        column=column,
        value=np.concatenate((classes, -classes)).astype(np.float64),
        low=exact,
        high=exact,
    )
    answer = solver.minimise(programme, max_nodes=_MAX_NODES)
    if answer.y is None:
        return None
    y = np.rint(answer.y).astype(np.int64)
    change = y[:count] - y[count:]
    return change if int((change * classes).sum()) == missing else None
