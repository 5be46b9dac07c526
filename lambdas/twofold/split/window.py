"""The part of a split that is open: the units whose keys are near the threshold.

Without labels the test set would be the units with the lowest keys. Balance needs a tilt of the
keys by about the standard deviation of each label's share, sqrt(f (1 - f) / images), so a unit
whose key is many such deviations from the threshold is decided by its key alone, and the solver's
work grows with the root of the number of entries.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.coordination import Ranks
from twofold.split.rows import Ints, Rows
from twofold.split.signatures import sort_by_signature
from twofold.split.units import Units

KEY_BITS = 36
DEVIATIONS = 4
ALWAYS_OPEN = 20_000


@dataclass(frozen=True, slots=True)
class Window:
    """Open units by kind: units of one kind have equal rows and sizes, so only numbers matter.

    The units of kind `j` are `unit[start[j]:start[j + 1]]`, lowest key first; the first `x[j]` of
    them are tested. `position` is the key as KEY_BITS bits. Deviations are scaled by the
    denominator of the fraction, so that all of them are integers. `ranks` where the keys are
    coordinated with a previous split.
    """

    fraction: Fraction
    threshold: int
    need: int
    images: Ints
    fixed: Ints
    rows: Rows
    size: Ints
    start: Ints
    unit: Ints
    position: Ints
    whole: bool
    ranks: Ranks | None = None

    @property
    def capacity(self) -> Ints:
        return np.diff(self.start)

    def tested(self, x: Ints) -> Ints:
        """Entries of each label on the test side."""
        return self.fixed + self.rows.totals(x, len(self.images))

    def deviation(self, tested: Ints) -> Ints:
        """For each label, the denominator times (tested - fraction * images)."""
        return self.fraction.denominator * tested - self.fraction.numerator * self.images

    def cost(self, x: Ints) -> int:
        return int(np.abs(self.deviation(self.tested(x))).sum())

    def floors(self) -> Ints:
        """The least deviation that an integer number of entries allows, for each label."""
        rest = self.fraction.numerator * self.images % self.fraction.denominator
        return np.minimum(rest, self.fraction.denominator - rest)

    def floor(self) -> int:
        return int(self.floors().sum())

    def ranked(self) -> tuple[Ints, Ints]:
        """Of each kind, how many units were tested in the previous split, and how many are new."""
        if self.ranks is None:
            raise ValueError("The window is not coordinated with a previous split.")
        tested, before = (
            np.add.reduceat((self.position < _position(rank)).astype(np.int64), self.start[:-1])
            for rank in (self.ranks.new, self.ranks.trained)
        )
        return tested, before - tested

    def chosen(self, x: Ints) -> Ints:
        """The units that are tested."""
        rank = np.arange(len(self.unit), dtype=np.int64) - np.repeat(self.start[:-1], self.capacity)
        return self.unit[rank < np.repeat(x, self.capacity)]


def narrowed(window: Window, x: Ints, kinds: Ints) -> Window:
    """The window in which only `kinds` are open and `x` says what is tested of the others."""
    open_kind = np.zeros(len(x), dtype=np.bool_)
    open_kind[kinds] = True
    closed = np.where(open_kind, 0, x)
    of_unit = np.repeat(open_kind, window.capacity)
    return replace(
        window,
        fixed=window.tested(closed),
        need=window.need - int((closed * window.size).sum()),
        rows=window.rows.take(kinds),
        size=window.size[kinds],
        start=np.concatenate(([0], np.cumsum(window.capacity[kinds]))),
        unit=window.unit[of_unit],
        position=window.position[of_unit],
        whole=False,
    )


def threshold_key(units: Units, wanted: int) -> np.uint64:
    """The key of the last unit that fits when units are taken by key alone; `wanted` >= 1."""
    if units.size.max() == 1:
        return np.uint64(np.partition(units.key, wanted - 1)[wanted - 1])
    order = np.argsort(units.key, kind="stable")
    last = np.searchsorted(np.cumsum(units.size[order]), wanted, side="right")
    return np.uint64(units.key[order[max(0, int(last) - 1)]])


def open_window(
    units: Units,
    images: Ints,
    words: NDArray[np.uint64],
    fraction: Fraction,
    wanted: int,
    always_open: int = ALWAYS_OPEN,
    deviations: int = DEVIATIONS,
) -> tuple[Window, NDArray[np.bool_]]:
    """The window, and for each unit whether it is tested without question (none in the window).

    Up to `always_open` units the window is everything. `wanted` is at least one.
    """
    threshold = threshold_key(units, wanted)
    is_open = np.ones(len(units), dtype=np.bool_)
    if len(units) > always_open:
        is_open = _near(units, images, fraction, threshold, deviations)
    decided = (units.key <= threshold) & ~is_open
    fixed_rows = np.bincount(units.row[decided], minlength=len(units.rows))
    unit = np.flatnonzero(is_open)
    row_ids, row = np.unique(units.row[unit], return_inverse=True)
    opened = Units(
        key=units.key[unit],
        tie=units.tie[unit],
        row=row,
        size=units.size[unit],
        rows=units.rows.take(row_ids),
    )
    # Kinds are numbered by their content, not by who came first.
    order, first = sort_by_signature(opened, words)
    unit = unit[order]
    window = Window(
        fraction=fraction,
        threshold=_position(threshold),
        need=wanted - int(units.size[decided].sum()),
        images=images,
        fixed=units.rows.totals(fixed_rows, len(images)),
        rows=opened.rows.take(row[order[first]]),
        size=units.size[unit[first]].astype(np.int64),
        start=np.concatenate((first, [len(unit)])),
        unit=unit,
        position=(units.key[unit] >> np.uint64(64 - KEY_BITS)).astype(np.int64),
        whole=len(unit) == len(units),
        ranks=units.ranks,
    )
    return window, decided


def _near(
    units: Units, images: Ints, fraction: Fraction, threshold: np.uint64, deviations: int
) -> NDArray[np.bool_]:
    variance = float(fraction * (1 - fraction))
    reach = deviations * np.sqrt(variance / np.maximum(images, 1)) * 2.0**KEY_BITS
    widths = units.rows.sums(np.rint(reach).astype(np.int64))[units.row]
    keys = (units.key >> np.uint64(64 - KEY_BITS)).astype(np.int64)
    keys -= _position(threshold)
    near: NDArray[np.bool_] = np.abs(keys) <= widths
    return near


def _position(key: np.uint64) -> int:
    return int(key) >> (64 - KEY_BITS)
