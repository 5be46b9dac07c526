"""The fewest changes of sides: of all quotas that cost no more, those that keep most of the previous split.

A unit of a kind is tested before those of higher rank, so beyond the units that were tested come
the new ones, free to take, and then those that were trained on; fewer quotas push old test units out.
"""

import numpy as np

from twofold.split.highs import Solver
from twofold.split.optimum import Moves, cheapest_moves
from twofold.split.rows import Ints
from twofold.split.window import Window

# Non-zero values of a programme that HiGHS settles in seconds.
MOST_VALUES = 10_000
# What all new units cost together: less than a change, so that only changes count.
_FREE = 0.4


def fewest_changes(window: Window, x: Ints, solver: Solver) -> Ints:
    """Quotas no costlier than `x`, with the fewest entries that change sides; `x` where none are found.

    The window must be coordinated. Where it is too large for a programme `x` stays.
    """
    if len(window.rows.labels) > MOST_VALUES or changed_entries(window, x) == 0:
        return x
    found = cheapest_moves(window, _moves(window), x, solver)
    if found is None or changed_entries(window, found) >= changed_entries(window, x):
        return x
    return found


def changed_entries(window: Window, x: Ints) -> int:
    """Entries of the window that leave the side of the previous split."""
    tested, fresh = window.ranked()
    leaving = np.maximum(tested - x, 0)
    entering = np.maximum(x - tested - fresh, 0)
    return int(((leaving + entering) * window.size).sum())


def _moves(window: Window) -> Moves:
    tested, fresh = window.ranked()
    kinds = np.arange(len(tested), dtype=np.int64)
    size = window.size.astype(np.float64)
    free = _FREE / (1.0 + float(fresh @ size))
    return Moves(
        base=tested,
        kind=np.tile(kinds, 3),
        sign=np.repeat(np.array([1, 1, -1], dtype=np.int64), len(kinds)),
        room=np.concatenate((fresh, window.capacity - tested - fresh, tested)),
        cost=np.concatenate((free * size, size, size)),
    )
