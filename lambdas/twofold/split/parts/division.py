"""A first division into parts: one part after the other takes its units from those that are left, with the solver for two.

Each step balances one part against its own shares; `pair_search` and `joint_mip` then improve all parts together.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.allocation import improve_by_dives
from twofold.split.duals import allocate_by_dual_prices
from twofold.split.highs import HighsSolver
from twofold.split.local_search import improve_by_swaps
from twofold.split.neighbourhoods import improve_by_double_swaps, improve_by_exchanges
from twofold.split.parts.shares import PartShares
from twofold.split.sampling import Units
from twofold.split.subset_sum import adjust_entries
from twofold.split.window import ALWAYS_OPEN, Window, open_window


def divide_units(
    units: Units,
    label_hashes: NDArray[np.uint64],
    images: Ints,
    shares: PartShares,
    entries: Ints,
    solver: HighsSolver,
) -> NDArray[np.uint8] | None:
    """The part of each unit, with exactly `entries[p]` entries in part `p`; None if the units left do not add up to it.

    Without groups there is always a division.
    """
    part = np.zeros(len(units), dtype=np.uint8)
    remaining = np.arange(len(units), dtype=np.int64)
    scaled = shares.scale(images)
    for number in range(len(shares) - 1, 0, -1):
        fraction = Fraction(
            int(shares.numerators[number]), int(shares.numerators[: number + 1].sum())
        )
        chosen = _choose_units(
            _take_units(units, remaining),
            label_hashes,
            fraction,
            int(entries[number]),
            (scaled[number], shares.denominator),
            solver,
        )
        if chosen is None:
            return None
        part[remaining[chosen]] = number
        remaining = remaining[~chosen]
    return part


def _take_units(units: Units, selected: Ints) -> Units:
    return replace(
        units,
        key=units.key[selected],
        source=units.source[selected],
        row=units.row[selected],
        size=units.size[selected],
    )


def _choose_units(
    units: Units,
    label_hashes: NDArray[np.uint64],
    fraction: Fraction,
    entries: int,
    target: tuple[Ints, int],
    solver: HighsSolver,
) -> NDArray[np.bool_] | None:
    """Choose units with exactly `entries` entries near the target: scaled shares of the labels, and their scale."""
    if entries in (0, int(units.size.sum())):
        return np.full(len(units), entries > 0)
    for always_open in (ALWAYS_OPEN, len(units)):
        times = np.bincount(units.row, minlength=len(units.matrix))
        images = units.matrix.sum_by_label(times, len(label_hashes))
        window, decided = open_window(
            units, images, label_hashes, fraction, entries, always_open=always_open
        )
        x = adjust_entries(window, allocate_by_dual_prices(window, len(images)), solver)
        # Groups near the threshold may not add up to the number: then all groups are opened.
        if window.count_entries(x) == window.needed:
            x = _balance(_aim_at(window, *target), x, label_hashes, solver)
            decided[window.select_units(x)] = True
            return decided
    return None


def _aim_at(window: Window, scaled_shares: Ints, scale: int) -> Window:
    """The window with these shares in place of the fraction of its own images."""
    return replace(window, fraction=Fraction(1, scale), images=scaled_shares)


def _balance(
    window: Window, x: Ints, label_hashes: NDArray[np.uint64], solver: HighsSolver
) -> Ints:
    x = improve_by_swaps(window, x)
    if window.compute_cost(x) > window.compute_floor():
        x = improve_by_exchanges(window, label_hashes, x)
        x = improve_by_dives(window, improve_by_double_swaps(window, x), solver)
    return x


def divide_by_size(
    units: Units, sizes: Ints, divided: Ints, shares: PartShares
) -> NDArray[np.uint8]:
    """The part of each unit by size and key alone: `divided` has the units of each size (row) in each part (column)."""
    part = np.empty(len(units), dtype=np.uint8)
    descending = np.arange(len(shares) - 1, -1, -1, dtype=np.uint8)
    for size, counts in zip(sizes.tolist(), divided, strict=True):
        members = np.flatnonzero(units.size == size)
        order = np.lexsort((units.source[members], units.key[members]))
        part[members[order]] = np.repeat(descending, counts[::-1])
    return part
