"""Fewest swaps: one unit in, one of the same size out, each time the pair that gains most.

Few swaps matter more than their price: what is not swapped stays where its key puts it, in this
split and in the split of a grown dataset. So all labels of a pair count at once, and among pairs
that gain alike the one nearest to the threshold is taken.
"""

import numpy as np

from twofold.split.rows import Ints, Rows
from twofold.split.standing import NEVER, Standing
from twofold.split.window import Window

MAX_SWAPS = 2_000
NEAREST = 12_000
SHORTLIST = 64


def swap_while_better(window: Window, x: Ints) -> Ints:
    """Quotas that no swap of two shortlisted kinds makes better."""
    standing = Standing(window, x)
    near = np.sort(standing.nearest()[:NEAREST])
    rows = window.rows.take(near)
    cost, floor = window.cost(x), window.floor()
    for _ in range(MAX_SWAPS):
        if cost == floor:
            break
        pair, gain = _best_pair(standing, near, rows)
        if gain <= 0:
            break
        standing.swap(*pair)
        cost -= gain
    return standing.x


def _best_pair(standing: Standing, near: Ints, rows: Rows) -> tuple[tuple[int, int], int]:
    """The kinds to add and to remove, and by how much the cost falls."""
    into = shortlist(standing, near, rows, standing.entering, 1)
    out = shortlist(standing, near, rows, standing.leaving, -1)
    if len(into) == 0 or len(out) == 0:
        return (0, 0), 0
    change = _changes(standing, rows, into, out)
    size = standing.window.size
    change[size[near[into]][:, None] != size[near[out]][None, :]] = NEVER
    way = standing.entering[near[into]][:, None] + standing.leaving[near[out]][None, :]
    least = change.min()
    found = np.argmin(np.where(change == least, way, NEVER * 2))
    added, removed = divmod(int(found), len(out))
    return (int(near[into[added]]), int(near[out[removed]])), -int(least)


def shortlist(standing: Standing, near: Ints, rows: Rows, way: Ints, sign: int) -> Ints:
    """Places in `near` of the kinds whose unit is the best to move alone."""
    gains = alone(standing.deviation, rows, sign * standing.window.fraction.denominator)
    possible = np.flatnonzero(way[near] < NEVER)
    gains = gains[possible]
    if len(gains) > SHORTLIST:
        good = gains <= np.partition(gains, SHORTLIST - 1)[SHORTLIST - 1]
        possible, gains = possible[good], gains[good]
    order = np.lexsort((way[near[possible]], gains))
    return possible[order[:SHORTLIST]]


def alone(deviation: Ints, rows: Rows, unit: int) -> Ints:
    """What the cost would change by if one unit of a row came in alone, or with -unit went out."""
    if rows.are_sets:
        changes = np.abs(deviation + unit) - np.abs(deviation)
        return np.add.reduceat(changes[rows.labels], rows.offsets[:-1])
    moved = np.abs(deviation[rows.labels] + unit * rows.counts)
    return np.add.reduceat(moved - np.abs(deviation[rows.labels]), rows.offsets[:-1])


def cheapest(standing: Standing) -> Ints:
    """All kinds, those first whose next unit costs least to move alone; then those near by."""
    window, deviation = standing.window, standing.deviation
    unit = window.fraction.denominator
    into, out = alone(deviation, window.rows, unit), alone(deviation, window.rows, -unit)
    into[standing.entering == NEVER] = NEVER
    out[standing.leaving == NEVER] = NEVER
    nearness = np.minimum(standing.entering, standing.leaving)
    return np.lexsort((nearness, np.minimum(into, out)))


def _changes(standing: Standing, rows: Rows, into: Ints, out: Ints) -> Ints:
    """What the cost changes by for each pair of `into` and `out`, exactly."""
    moving = rows.take(np.concatenate((into, out)))
    labels, column = np.unique(moving.labels, return_inverse=True)
    table = np.zeros((len(moving), len(labels)), dtype=np.int64)
    table[moving.owners(), column] = moving.counts
    table *= standing.window.fraction.denominator
    deviation = standing.deviation[labels]
    added, removed = deviation + table[: len(into)], table[len(into) :]
    after = np.empty((len(into), len(out)), dtype=np.int64)
    for place, row in enumerate(added):
        after[place] = np.abs(row - removed).sum(axis=1)
    return after - int(np.abs(deviation).sum())
