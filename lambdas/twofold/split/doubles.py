"""Double swaps: for groups of many sizes, two swaps whose differences in size cancel.

A swap, or a group in or out alone, changes the number of test entries by some difference. The best
few swaps of each difference are matched with the best few of the opposite one.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class _Shortlist:
    """Kinds to add and to remove, and _NOTHING as the last of each; swap `i` adds `into[i // len(out)]` and removes
    `out[i % len(out)]`.

    `added`, `removed`: scaled counts of each of these kinds (rows) for the labels that any of them has (columns); `deviation`
    of these labels. Other labels cost the same whatever is swapped. Vectors of all swaps together would be 4,225 times as
    many numbers as there are labels, so they are made a row at a time.
    """

    into: Ints
    out: Ints
    added: Ints
    removed: Ints
    deviation: Ints

    @classmethod
    def of(cls, standing: Standing, kinds: Ints) -> "_Shortlist":
        window = standing.window
        into = shortlist(standing, kinds, window.rows, standing.entering, 1)
        out = shortlist(standing, kinds, window.rows, standing.leaving, -1)
        rows = window.rows.take(np.concatenate((into, out)))
        labels, column = np.unique(rows.labels, return_inverse=True)
        table = np.zeros((len(rows) + 2, len(labels)), dtype=np.int64)
        owner = rows.owners()
        table[owner + (owner >= len(into)), column] = rows.counts * window.fraction.denominator
        return cls(
            into=np.append(into, _NOTHING),
            out=np.append(out, _NOTHING),
            added=table[: len(into) + 1],
            removed=table[len(into) + 1 :],
            deviation=standing.deviation[labels],
        )

    def vectors(self, swaps: Ints) -> Ints:
        """How each swap (row) changes the deviation of each label (column)."""
        return self.added[swaps // len(self.out)] - self.removed[swaps % len(self.out)]

    def costs(self) -> Ints:
        """The sum of deviations after each swap."""
        costs = [np.abs(self.deviation + row - self.removed).sum(axis=1) for row in self.added]
        return np.concatenate(costs)

    def pair_costs(self, ups: Ints, downs: Ints) -> Ints:
        """The sum of deviations after each of `ups` (rows) together with each of `downs` (columns)."""
        after = self.vectors(downs) + self.deviation
        return np.array([np.abs(after + vector).sum(axis=1) for vector in self.vectors(ups)])

    def kinds(self, swaps: Ints) -> Ints:
        """(added, removed) of each swap."""
        return np.column_stack((self.into[swaps // len(self.out)], self.out[swaps % len(self.out)]))


def _best_double(standing: Standing, kinds: Ints) -> list[tuple[int, int]] | None:
    """The moves of the double swap that lowers the cost most, or None."""
    shortlisted = _Shortlist.of(standing, kinds)
    swaps, sizes = _candidates(standing, shortlisted)
    least, best = int(np.abs(shortlisted.deviation).sum()), None
    for difference in np.unique(np.abs(sizes)).tolist():
        ups, downs = swaps[sizes == difference], swaps[sizes == -difference]
        if len(ups) == 0 or len(downs) == 0:
            continue
        costs = shortlisted.pair_costs(ups, downs)
        first, second = shortlisted.kinds(ups)[:, None], shortlisted.kinds(downs)[None, :]
        clash = np.any((first == second) & (first != _NOTHING), axis=2)
        costs[clash] = least
        place = int(np.argmin(costs))
        if costs.flat[place] < least:
            least = int(costs.flat[place])
            up, down = divmod(place, len(downs))
            best = shortlisted.kinds(np.array([ups[up], downs[down]])).ravel()
    if best is None:
        return None
    moves = zip(best.tolist(), (1, -1, 1, -1), strict=True)
    return [(kind, change) for kind, change in moves if kind != _NOTHING]


def _candidates(standing: Standing, shortlisted: _Shortlist) -> tuple[Ints, Ints]:
    """Swaps, and by how much each adds to the test side: the best few of each difference."""
    size = np.append(standing.window.size, 0)
    sizes = (size[shortlisted.into][:, None] - size[shortlisted.out][None, :]).ravel()
    order = np.lexsort((shortlisted.costs(), sizes))
    ordered = sizes[order]
    first = np.searchsorted(ordered, ordered)
    kept = order[np.arange(len(order)) - first < _BEST_OF_EACH]
    return kept, sizes[kept]
