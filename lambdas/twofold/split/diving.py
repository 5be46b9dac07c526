"""Diving: round the linear relaxation of the programme in steps, the largest groups first.

The relaxation reaches the integrality floor if a few units are divided between both sides, at most one for each label. Rounding
all of them at once would lose the balance. A dive therefore fixes a part of the signatures at a time, those with the most
images first, and solves the relaxation again. The signatures that are still open make up for the rounding, and the last to be
fixed, with the fewest images, leave the least deviation.

The values of the relaxation are rounded to integers, and the allocation is checked in integers.
"""

import numpy as np

from twofold.label_sets import Ints
from twofold.split.highs import Floats, HighsSolver, Relaxation
from twofold.split.mip import MoveColumns, build_deviation_model
from twofold.split.subset_sum import adjust_entries
from twofold.split.window import KEY_BITS, Window

MAX_VALUES = 100_000
"""Non-zero values of a relaxation with few labels."""

MAX_WORK = 45_000_000
"""Non-zero values of a relaxation, times the labels: the iterations of relaxations with many labels take longer."""

_TOLERANCE = 1e-6
_KEY_COST = 2.0
"""The cost of all units together, in images: breaks ties by key without weight against the deviation."""


def dive(window: Window, x: Ints, parts: int, solver: HighsSolver) -> Ints:
    """Dive in the signatures with the fewest images, as many as a relaxation can have; keep the others at `x`.

    A step fixes one of `parts` equal parts of the open signatures. Returns `x` itself if the budget of the solver is used up or
    the dive ends without an allocation. The allocation can be worse than `x`.
    """
    signatures = _select_signatures(window)
    if len(signatures) == 0:
        return x
    part = window.narrow(x, signatures)
    part_x = _dive(part, parts, solver)
    if part_x is None:
        return x
    dived_x = x.copy()
    dived_x[signatures] = part_x
    return dived_x


def _count_images(window: Window) -> Ints:
    """The images of a unit of each signature: an image counts once for each of its labels."""
    return np.add.reduceat(window.matrix.counts, window.matrix.offsets[:-1])


def _select_signatures(window: Window) -> Ints:
    order = np.argsort(_count_images(window), kind="stable")
    values = np.cumsum(window.matrix.compute_lengths()[order])
    limit = min(MAX_VALUES, MAX_WORK // len(window.images))
    return np.sort(order[: np.searchsorted(values, limit, side="right")])


def _dive(window: Window, parts: int, solver: HighsSolver) -> Ints | None:
    """An allocation of the whole window, or None if no relaxation has a solution or the result does not hold in integers."""
    relaxation = solver.relax(build_deviation_model(window, _build_columns(window)))
    open_signatures = np.argsort(-_count_images(window), kind="stable")
    rounded = None
    while (values := _solve(relaxation, len(window.size))) is not None:
        rounded = np.rint(values)
        if np.all(np.abs(values[open_signatures] - rounded[open_signatures]) <= _TOLERANCE):
            break
        count = max(1, len(open_signatures) // parts)
        fixed, open_signatures = open_signatures[:count], open_signatures[count:]
        relaxation.fix(fixed, rounded[fixed])
    # Without a solution, the last groups do not add up to the entries, so the values before are the last.
    return None if rounded is None else _adjust(window, rounded.astype(np.int64), solver)


def _build_columns(window: Window) -> MoveColumns:
    """A column for each signature: the number of test units. Low keys have a low cost, so few units are swapped."""
    signatures = np.arange(len(window.size), dtype=np.int64)
    distance = np.add.reduceat(window.short_key - window.threshold, window.start[:-1])
    cost = distance / 2.0**KEY_BITS / window.capacity * window.size
    return MoveColumns(
        base=np.zeros_like(signatures),
        signature=signatures,
        sign=np.ones_like(signatures),
        upper=window.capacity,
        cost=cost * (_KEY_COST / float(np.abs(cost) @ window.capacity)),
    )


def _solve(relaxation: Relaxation, signature_count: int) -> Floats | None:
    """The test units of each signature in the relaxation."""
    values = relaxation.solve()
    return None if values is None else values[:signature_count]


def _adjust(window: Window, x: Ints, solver: HighsSolver) -> Ints | None:
    """The allocation with exactly the needed entries, or None."""
    if not np.all((x >= 0) & (x <= window.capacity)):
        return None
    x = adjust_entries(window, x, solver)
    return x if window.count_entries(x) == window.needed else None
