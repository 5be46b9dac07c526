"""Double swaps: for groups of many sizes, two swaps whose differences in size cancel.

A swap, or a group in or out alone, changes the number of test entries by some difference. The best
few swaps of each difference are matched with the best few of the opposite one.
"""

import numpy as np

from twofold.split.rows import Ints
from twofold.split.standing import Standing
from twofold.split.swaps import shortlist
from twofold.split.window import Window

MAX_DOUBLES = 300
_BEST_OF_EACH = 8
_NOTHING = -1


def double_while_better(window: Window, x: Ints) -> Ints:
    """Quotas that no shortlisted double swap makes better; `x` where all sizes are equal."""
    if window.size.min() == window.size.max():
        return x
    standing = Standing(window, x)
    kinds = np.arange(len(x), dtype=np.int64)
    for _ in range(MAX_DOUBLES):
        found = _best_double(standing, kinds)
        if found is None:
            break
        for kind, change in found:
            standing.move(kind, change)
    return standing.x


def _best_double(standing: Standing, kinds: Ints) -> list[tuple[int, int]] | None:
    """The moves of the double swap that lowers the cost most, or None."""
    swaps, vectors, sizes = _candidates(standing, kinds)
    least, best = int(np.abs(standing.deviation).sum()), None
    for difference in np.unique(np.abs(sizes)).tolist():
        ups, downs = np.flatnonzero(sizes == difference), np.flatnonzero(sizes == -difference)
        if len(ups) == 0 or len(downs) == 0:
            continue
        costs = np.abs(vectors[ups][:, None] + vectors[downs][None, :] + standing.deviation).sum(2)
        first, second = swaps[ups][:, None], swaps[downs][None, :]
        clash = np.any((first == second) & (first != _NOTHING), axis=2)
        costs[clash] = least
        place = int(np.argmin(costs))
        if costs.flat[place] < least:
            least, best = int(costs.flat[place]), divmod(place, len(downs))
            chosen = np.concatenate((swaps[ups[best[0]]], swaps[downs[best[1]]]))
    if best is None:
        return None
    moves = zip(chosen.tolist(), (1, -1, 1, -1), strict=True)
    return [(kind, change) for kind, change in moves if kind != _NOTHING]


def _candidates(standing: Standing, kinds: Ints) -> tuple[Ints, Ints, Ints]:
    """Swaps as (kind in, kind out), their scaled vectors, and by how much each adds to the test
    side: the best few of each difference."""
    window = standing.window
    into = shortlist(standing, kinds, window.rows, standing.entering, 1)
    out = shortlist(standing, kinds, window.rows, standing.leaving, -1)
    added, removed = _table(window, into), _table(window, out)
    into, out = np.append(into, _NOTHING), np.append(out, _NOTHING)
    vectors = (added[:, None] - removed[None, :]).reshape(len(into) * len(out), -1)
    size = np.append(window.size, 0)
    sizes = (size[into][:, None] - size[out][None, :]).ravel()
    costs = np.abs(vectors + standing.deviation).sum(axis=1)
    order = np.lexsort((costs, sizes))
    ordered = sizes[order]
    first = np.searchsorted(ordered, ordered)
    kept = order[np.arange(len(order)) - first < _BEST_OF_EACH]
    swaps = np.column_stack((into[kept // len(out)], out[kept % len(out)]))
    return swaps, vectors[kept], sizes[kept]


def _table(window: Window, kinds: Ints) -> Ints:
    """A dense scaled row for each kind, and one of zeros for nothing."""
    rows = window.rows.take(kinds)
    table = np.zeros((len(kinds) + 1, len(window.images)), dtype=np.int64)
    table[rows.owners(), rows.labels] = rows.counts * window.fraction.denominator
    return table
