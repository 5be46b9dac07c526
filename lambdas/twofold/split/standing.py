"""Where a search stands: quotas, deviations, and how near the next units are to the threshold."""

import numpy as np

from twofold.split.rows import Ints
from twofold.split.window import Window

NEVER = np.int64(1 << 61)


class Standing:
    """`entering[j]` is how far above the threshold the next unit of kind `j` to be tested is, and
    `leaving[j]` how far below it the last tested one: NEVER where there is none."""

    def __init__(self, window: Window, x: Ints) -> None:
        self.window = window
        self.x = x.copy()
        self.deviation = window.deviation(window.tested(x))
        kinds = np.arange(len(x), dtype=np.int64)
        self.entering = np.empty(len(x), dtype=np.int64)
        self.leaving = np.empty(len(x), dtype=np.int64)
        self._measure(kinds)

    def nearest(self) -> Ints:
        """All kinds, the ones with a unit near the threshold first."""
        return np.argsort(np.minimum(self.entering, self.leaving), kind="stable")

    def move(self, kind: int, change: int) -> None:
        """Test `change` units of a kind more, or fewer."""
        rows, unit = self.window.rows, self.window.fraction.denominator
        self.x[kind] += change
        row = slice(rows.offsets[kind], rows.offsets[kind + 1])
        self.deviation[rows.labels[row]] += change * unit * rows.counts[row]
        self._measure(np.array([kind], dtype=np.int64))

    def swap(self, added: int, removed: int) -> None:
        self.move(added, 1)
        self.move(removed, -1)

    def _measure(self, kinds: Ints) -> None:
        window = self.window
        first, last = window.start[kinds], window.start[kinds + 1]
        following = first + self.x[kinds]
        end = len(window.position) - 1
        above = window.position[np.minimum(following, end)] - window.threshold
        below = window.threshold - window.position[np.maximum(following - 1, 0)]
        self.entering[kinds] = np.where(following < last, np.maximum(above, 0), NEVER)
        self.leaving[kinds] = np.where(following > first, np.maximum(below, 0), NEVER)
