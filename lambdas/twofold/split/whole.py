"""All units by signature, none of them open: the whole programme of a split whose window misses the floor.

A window bounds nothing but itself. What no split of the size can beat is known from a programme over all units, and that needs
only how many units each signature has: its size does not grow with the number of entries.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.rows import Ints, Rows
from twofold.split.signatures import sort_by_signature
from twofold.split.units import Units
from twofold.split.window import Window


@dataclass(frozen=True, slots=True)
class CountedWindow(Window):
    """A window over all units that knows of them only how many there are of each kind.

    Moving a unit costs the same wherever its key is. `sides`, where the keys are coordinated with a previous split, holds for
    each kind how many units were tested in it and how many are new.
    """

    sides: tuple[Ints, Ints] | None = None

    def ranked(self) -> tuple[Ints, Ints]:
        if self.sides is None:
            raise ValueError("The window is not coordinated with a previous split.")
        return self.sides


@dataclass(frozen=True, slots=True)
class WholeSplit:
    """The counted window, the kind of each row of the units (-1 for rows that no unit has), and tested units of each kind."""

    window: CountedWindow
    kind_of_row: Ints
    x: Ints

    def select(self, units: Units, test: NDArray[np.bool_], x: Ints) -> NDArray[np.bool_]:
        """The tested units when `x` units of each kind are tested, those with the lowest keys, instead of `self.x`."""
        selected = test.copy()
        for kind in np.flatnonzero(x != self.x).tolist():
            members = np.flatnonzero((self.kind_of_row == kind)[units.row])
            order = np.lexsort((units.tie[members], units.key[members]))
            selected[members] = False
            selected[members[order[: x[kind]]]] = True
        return selected


def count_whole(
    units: Units,
    images: Ints,
    words: NDArray[np.uint64],
    fraction: Fraction,
    test: NDArray[np.bool_],
    most_values: int,
) -> WholeSplit | None:
    """The split that tests the units `test`, counted; None where its programme has more than `most_values` non-zero values."""
    kind_of_row, rows, size = _number_kinds(units, words)
    if len(rows.labels) > most_values:
        return None

    def count_units(chosen: NDArray[np.bool_]) -> Ints:
        return np.bincount(kind_of_row[units.row[chosen]], minlength=len(rows))

    x = count_units(test)
    capacity = x + count_units(~test)
    nowhere = np.broadcast_to(np.int64(0), (len(units),))
    sides = None
    if units.ranks is not None:
        tested = count_units(units.key < units.ranks.new)
        sides = (tested, count_units(units.key < units.ranks.trained) - tested)
    window = CountedWindow(
        fraction=fraction,
        threshold=0,
        need=int(units.size[test].sum()),
        images=images,
        fixed=np.zeros(len(images), dtype=np.int64),
        rows=rows,
        size=size,
        start=np.concatenate(([0], np.cumsum(capacity))),
        unit=nowhere,
        position=nowhere,
        whole=True,
        ranks=units.ranks,
        sides=sides,
    )
    return WholeSplit(window, kind_of_row, x)


def _number_kinds(units: Units, words: NDArray[np.uint64]) -> tuple[Ints, Rows, Ints]:
    """The kind of each row of the units (-1 for rows that no unit has), and the row and the size of each kind."""
    size = np.zeros(len(units.rows), dtype=np.int64)
    # Units with one row have one size: entries have 1, and each group has a row of its own.
    size[units.row] = units.size
    used = np.flatnonzero(size)
    nothing = np.zeros(len(used), dtype=np.uint64)
    one_of_each = Units(nothing, nothing, np.arange(len(used)), size[used], units.rows.take(used))
    order, first = sort_by_signature(one_of_each, words)
    kind_of_row = np.full(len(units.rows), -1, dtype=np.int64)
    kind_of_row[used[order]] = np.repeat(np.arange(len(first)), np.diff(first, append=len(order)))
    kinds = used[order[first]]
    return kind_of_row, units.rows.take(kinds), size[kinds]
