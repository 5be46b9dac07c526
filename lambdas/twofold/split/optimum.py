"""The proof of an optimum, and the quotas where exchanges do not reach it: two programmes.

For label `l` with share `f n_l`, let `low` be the integer part of the share and `r` the rest. The
deviation of an integer `t` from the share has kinks at `low` and `low + 1` alone, so
`t = low + z + u - v` with 0 <= z <= 1 and u, v >= 0 costs `r + (1 - 2 r) z + u + v`. This is the
convex hull over the integers: the bound starts at the integrality floor, where the plain
|t - f n_l| would start at zero.

The first programme finds the least sum of deviations. Moving a unit has a tiny cost in it, too small
to change the sum, that draws the solver to quotas near the ones it starts from. The second programme
keeps the sum and takes the fewest labels missing on a side, with entries without a label as half a label.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twofold.split.highs import Answer, Programme, Solver
from twofold.split.rows import Ints
from twofold.split.window import KEY_BITS, Window

MAX_NODES = 5_000
_MISSING = 10_000.0
# Of the smallest step of a sum, 1 / denominator: the costs of moves, and the gap left open.
_SLACK = 0.2


@dataclass(frozen=True, slots=True)
class Moves:
    """Columns of a programme: `sign` times up to `room` units of `kind`, on top of `base`.

    Every kind has as many columns; of those with one sign the first is filled first.
    """

    base: Ints
    kind: Ints
    sign: Ints
    room: Ints
    cost: NDArray[np.float64]

    def applied(self, y: NDArray[np.float64]) -> Ints:
        x = self.base.copy()
        np.add.at(x, self.kind, self.sign * np.rint(y[: len(self.kind)]).astype(np.int64))
        return x

    def reaching(self, x: Ints) -> NDArray[np.float64]:
        """The columns' values at the quotas `x`."""
        rest = {1: np.maximum(x - self.base, 0), -1: np.maximum(self.base - x, 0)}
        filled = []
        for block in np.split(np.arange(len(self.kind)), len(self.kind) // max(1, len(x))):
            sign = int(self.sign[block[0]])
            filled.append(np.minimum(rest[sign], self.room[block]))
            rest[sign] = rest[sign] - filled[-1]
        return np.concatenate(filled).astype(np.float64)

    @classmethod
    def around(cls, window: Window, x: Ints) -> "Moves":
        kinds = np.arange(len(x), dtype=np.int64)
        return cls(
            base=x,
            kind=np.concatenate((kinds, kinds)),
            sign=np.repeat(np.array([1, -1], dtype=np.int64), len(kinds)),
            room=np.concatenate((window.capacity - x, x)),
            cost=np.concatenate(_distances(window, x)),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`x` is None where no quotas were found; `bound` is scaled like all costs."""

    x: Ints | None
    bound: int
    ended: str


def least_deviation(window: Window, x: Ints, solver: Solver, effort: float = 1.0) -> Outcome:
    """The least summed deviation that any quotas of the window have; the search starts from `x`."""
    moves = Moves.around(window, x)
    tiny = _SLACK / (window.fraction.denominator * float(moves.cost @ moves.room))
    moves = replace(moves, cost=moves.cost * tiny)
    answer = solver.minimise(
        _programme(window, moves),
        max_nodes=_nodes(window, effort),
        gap=_SLACK / window.fraction.denominator,
        start=_solution(window, moves, x),
    )
    return Outcome(_checked(window, moves, answer), _scaled_bound(window, answer), answer.ended)


def _solution(window: Window, moves: Moves, x: Ints) -> NDArray[np.float64]:
    """The columns of `_programme` at the quotas `x`."""
    share = window.fraction.numerator * window.images // window.fraction.denominator
    above = np.maximum(window.tested(x) - share, 0)
    below = np.maximum(share - window.tested(x), 0)
    first = np.minimum(above, window.floors() > 0)
    return np.concatenate((moves.reaching(x), first, above - first, below))


def _nodes(window: Window, effort: float) -> int:
    """Fewer nodes where each takes longer, so that the clock need not strike."""
    most = min(MAX_NODES, 1_500_000 // len(window.rows.labels))
    return max(20, int(effort * most))


def fewest_missing(window: Window, x: Ints, required: Ints, solver: Solver) -> Ints:
    """Quotas no costlier than `x` with the fewest `required` labels missing on a side; of those,
    near `x`, or `x` itself where none are found."""
    moves = Moves.around(window, x)
    cost = window.cost(x)
    programme = _missing_programme(window, moves, cost, required)
    answer = solver.minimise(programme, max_nodes=_nodes(window, effort=0.25), gap=1.0)
    found = _checked(window, moves, answer)
    return x if found is None or window.cost(found) > cost else found


def cheapest_moves(window: Window, moves: Moves, x: Ints, solver: Solver) -> Ints | None:
    """Of all quotas no costlier than `x`, those whose moves cost least, to within half of one; None
    where none are found. The search starts from `x`."""
    cost = window.cost(x)
    answer = solver.minimise(
        _capped_programme(window, moves, cost),
        max_nodes=_nodes(window, effort=0.1),
        gap=0.5,
        start=_solution(window, moves, x),
    )
    found = _checked(window, moves, answer)
    return None if found is None or window.cost(found) > cost else found


def _distances(window: Window, start: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The price of testing one more, or one fewer, of each kind: 1 and the way to the threshold."""
    last = len(window.position) - 1
    entering = window.position[np.minimum(window.start[:-1] + start, last)] - window.threshold
    leaving = window.threshold - window.position[np.maximum(window.start[:-1] + start - 1, 0)]
    scale = 2.0**KEY_BITS
    up = 1.0 + np.maximum(0, entering) / scale
    down = 1.0 + np.maximum(0, leaving) / scale
    return up * window.size, down * window.size


def _checked(window: Window, moves: Moves, answer: Answer) -> Ints | None:
    """The answer in integers, or None if it does not hold exactly."""
    if answer.y is None:
        return None
    x = moves.applied(answer.y)
    legal = bool(np.all(x >= 0) and np.all(x <= window.capacity))
    return x if legal and int((x * window.size).sum()) == window.need else None


def _scaled_bound(window: Window, answer: Answer) -> int:
    """The smallest scaled cost that the bound allows."""
    unit = window.fraction.denominator
    rest = int((window.fraction.numerator * window.images % unit).sum())
    if not np.isfinite(answer.bound):
        return window.floor()
    return max(window.floor(), rest + int(np.ceil(answer.bound * unit - _SLACK - 1e-3)))


def _programme(window: Window, moves: Moves) -> Programme:
    """Rows: one a label, then the number of entries. Columns: the moves, then z, u and v."""
    label_count = len(window.images)
    unit = window.fraction.denominator
    share, rest = np.divmod(window.fraction.numerator * window.images, unit)
    label = np.arange(label_count, dtype=np.int64)
    rows = window.rows.take(moves.kind)
    owner = rows.owners()
    move = np.arange(len(moves.kind), dtype=np.int64)
    z = len(move) + label
    images = window.images.astype(np.float64)
    sizes = moves.sign * window.size[moves.kind]
    needed = window.need - int((moves.base * window.size).sum())
    right = np.append(share - window.tested(moves.base), needed).astype(np.float64)
    ones = np.ones(label_count)
    return Programme(
        cost=np.concatenate((moves.cost, 1.0 - 2.0 * rest / unit, ones, ones)),
        room=np.concatenate((moves.room, (rest > 0) * ones, images, images)),
        integral=np.arange(len(move) + 3 * label_count) < len(move),
        row=np.concatenate((rows.labels, move * 0 + label_count, label, label, label)),
        column=np.concatenate((owner, move, z, z + label_count, z + 2 * label_count)),
        value=np.concatenate((rows.counts * moves.sign[owner], sizes, -ones, -ones, ones)),
        low=right,
        high=right,
    )


def _capped_programme(window: Window, moves: Moves, cost: int) -> Programme:
    """The first programme with its cost as a row, of at most `cost`; what is left to pay for are moves."""
    first = _programme(window, moves)
    unit = window.fraction.denominator
    rest = window.fraction.numerator * window.images % unit
    deviating = np.arange(len(moves.kind), len(first.cost), dtype=np.int64)
    return replace(
        first,
        cost=np.concatenate((moves.cost, 0.0 * deviating)),
        row=np.concatenate((first.row, deviating * 0 + len(first.low))),
        column=np.concatenate((first.column, deviating)),
        value=np.concatenate((first.value, first.cost[len(moves.kind) :])),
        low=np.append(first.low, -np.inf),
        high=np.append(first.high, (cost - int(rest.sum())) / unit + 0.25 / unit),
    )


def missing_weights(window: Window, labels: Ints) -> Ints:
    """What it weighs that a label is missing on a side; entries without a label, which are the last one, weigh less."""
    return np.where(labels == len(window.images) - 1, 1, 2)


def _missing_programme(window: Window, moves: Moves, cost: int, required: Ints) -> Programme:
    """The capped programme with a column "missing" for each required label that may make good for
    one entry on either side."""
    capped = _capped_programme(window, moves, cost)
    share = window.fraction.numerator * window.images // window.fraction.denominator
    label_count, count = len(window.images), len(required)
    z = np.tile(len(moves.kind) + required, 2)
    missing = np.tile(len(capped.cost) + np.arange(count, dtype=np.int64), 2)
    side = len(capped.low) + np.arange(2 * count, dtype=np.int64)
    one = np.ones(2 * count)
    signs = np.repeat(np.array([1.0, -1.0]), count)
    lowest = np.concatenate((1.0 - share[required], 1.0 - (window.images - share)[required]))
    return Programme(
        cost=np.concatenate((capped.cost, _MISSING * missing_weights(window, required))),
        room=np.concatenate((capped.room, np.ones(count))),
        integral=np.append(capped.integral, np.zeros(count, dtype=np.bool_)),
        row=np.concatenate((capped.row, side, side, side, side)),
        column=np.concatenate((capped.column, z, z + label_count, z + 2 * label_count, missing)),
        value=np.concatenate((capped.value, signs, signs, -signs, one)),
        low=np.concatenate((capped.low, lowest)),
        high=np.concatenate((capped.high, np.full(2 * count, np.inf))),
    )
