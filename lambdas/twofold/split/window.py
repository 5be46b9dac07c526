"""The open part of a split: the units with keys near the threshold.

Without labels the test set would be the units with the lowest keys. Balance shifts the threshold of a label by about the
standard deviation of the share, sqrt(f (1 - f) / images). So the key alone decides on units many such deviations away from
the threshold, and the work of the solver grows with the square root of the number of entries.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_lengths, compute_offsets
from twofold.split.coverage import NO_COVERAGE, Coverage
from twofold.split.label_matrix import LabelMatrix
from twofold.split.sampling import SideBounds, Units, sort_by_signature

KEY_BITS = 36
"""Bits of a key that count in a window. All arithmetic on keys fits into 63 bits.

duals            a short key less a shift of up to 36 bits takes 37 bits and a sign; the index of the unit takes 25 bits
neighbourhoods   a sum of two distances takes 37 bits; the change in cost, up to the denominator, takes 20 bits and a sign
local_search     IMPOSSIBLE, 2**61, is above both, and the sum of two is below 2**63
"""

SIGMAS = 4
"""Half the width of a window, in standard deviations of a label's share."""

ALWAYS_OPEN = 20_000
"""Up to this number of units, all units are open."""

MAX_COVERED_UNITS = 10_000_000
"""Up to this number of units, all units of a label with a demand above its share are open."""


@dataclass(frozen=True, slots=True)
class Window:
    """Open units by signature. An allocation `x` has the number of test units of each signature.

    The units of signature `s` are `unit[start[s]:start[s + 1]]`, lowest key first; the first `x[s]` are in the test
    set. `matrix` has a row and `size` the entries of a unit for each signature; `short_key` has the key of each unit in
    KEY_BITS bits. `images` counts all images of each label, `fixed` the test images outside the window, and `needed` the
    entries that the window adds to the test set. `is_complete` if all units are open; `bounds` is set if the keys are
    coordinated with a previous split. Deviations are multiplied by the denominator of the fraction, so they are integers;
    `floor_excess`, scaled too, is that of `level_columns.compute_floor_excess`. With `coverage`, deviations are distances from
    its targets, and costs lack its offset.
    """

    fraction: Fraction
    threshold: int
    needed: int
    images: Ints
    fixed: Ints
    matrix: LabelMatrix
    size: Ints
    start: Ints
    unit: Ints
    short_key: Ints
    is_complete: bool
    bounds: SideBounds | None = None
    floor_excess: int = 0
    coverage: Coverage = NO_COVERAGE

    @property
    def capacity(self) -> Ints:
        """The number of open units of each signature."""
        return compute_lengths(self.start)

    def count_entries(self, x: Ints) -> int:
        """Entries of the window in the test set."""
        return int((x * self.size).sum())

    def count_test_images(self, x: Ints) -> Ints:
        """Images of each label in the test set."""
        return self.fixed + self.matrix.sum_by_label(x, len(self.images))

    def compute_targets(self) -> Ints:
        """For each label, the denominator times the share, or with coverage the target."""
        if not self.coverage.minimum:
            return self.fraction.numerator * self.images
        return self.coverage.clamp_shares(self.images, self.fraction)

    def compute_deviation(self, test_images: Ints) -> Ints:
        """For each label, the denominator times the test images, less the target."""
        return self.fraction.denominator * test_images - self.compute_targets()

    def compute_cost(self, x: Ints) -> int:
        """The sum of absolute deviations: the total deviation times the denominator."""
        return int(np.abs(self.compute_deviation(self.count_test_images(x))).sum())

    def compute_floors(self) -> Ints:
        """The least absolute deviation of each label that an integer number of images allows."""
        remainder = self.compute_targets() % self.fraction.denominator
        return np.minimum(remainder, self.fraction.denominator - remainder)

    def compute_floor(self) -> int:
        """The integrality floor: the sum of the labels' floors, and the excess of levels."""
        return int(self.compute_floors().sum()) + self.floor_excess

    def count_shortfall(self, x: Ints) -> int:
        """The images that all labels together lack of their coverage."""
        if not self.coverage.minimum:
            return 0
        return int(self.coverage.count_shortfall(self.images, self.count_test_images(x)).sum())

    def rank(self, x: Ints) -> tuple[int, int]:
        """Lower for better allocations: coverage first, then cost."""
        return self.count_shortfall(x), self.compute_cost(x)

    def count_previous_units(self) -> tuple[Ints, Ints]:
        """For each signature the number of units of the previous test set, and the number of new units."""
        if self.bounds is None:
            raise ValueError("The window is not coordinated with a previous split.")
        # Keys are sorted within a signature: count the keys below each bound.
        test, test_or_new = (
            np.add.reduceat(
                (self.short_key < _shorten_key(bound)).astype(np.int64), self.start[:-1]
            )
            for bound in (self.bounds.new, self.bounds.training)
        )
        return test, test_or_new - test

    def select_units(self, x: Ints) -> Ints:
        """The units in the test set."""
        starts = np.repeat(self.start[:-1], self.capacity)
        # The rank of each unit within its signature.
        rank = np.arange(len(self.unit), dtype=np.int64) - starts
        return self.unit[rank < np.repeat(x, self.capacity)]

    def narrow(self, x: Ints, signatures: Ints) -> "Window":
        """The window in which only `signatures` are open; the allocation of the others is fixed at `x`."""
        is_open = np.zeros(len(x), dtype=np.bool_)
        is_open[signatures] = True
        closed_x = np.where(is_open, 0, x)
        # From signatures to units.
        is_open_unit = np.repeat(is_open, self.capacity)
        return replace(
            self,
            fixed=self.count_test_images(closed_x),
            needed=self.needed - self.count_entries(closed_x),
            matrix=self.matrix.take_rows(signatures),
            size=self.size[signatures],
            start=compute_offsets(self.capacity[signatures]),
            unit=self.unit[is_open_unit],
            short_key=self.short_key[is_open_unit],
            is_complete=False,
        )


def find_threshold_key(units: Units, test_entries: int) -> np.uint64:
    """The key of the last unit that fits if units with `test_entries` >= 1 entries are taken by key."""
    if units.size.max() == 1:
        return np.uint64(np.partition(units.key, test_entries - 1)[test_entries - 1])
    order = np.argsort(units.key, kind="stable")
    last = np.searchsorted(np.cumsum(units.size[order]), test_entries, side="right")
    return np.uint64(units.key[order[max(0, int(last) - 1)]])


def open_window(
    units: Units,
    images: Ints,
    label_hashes: NDArray[np.uint64],
    fraction: Fraction,
    test_entries: int,
    always_open: int = ALWAYS_OPEN,
    sigmas: int = SIGMAS,
    coverage: Coverage = NO_COVERAGE,
) -> tuple[Window, NDArray[np.bool_]]:
    """Return the window, and for each unit outside the window whether it is in the test set (False for open units).

    If there are at most `always_open` units, all are open. Otherwise the window reaches `sigmas` standard deviations to both
    sides of the threshold, and units with a label whose target is not its share are open. `test_entries`, the entries of the
    test set, is at least one.
    """
    threshold = find_threshold_key(units, test_entries)
    is_open = np.ones(len(units), dtype=np.bool_)
    if len(units) > always_open:
        is_open = _mark_near_units(units, images, fraction, threshold, sigmas)
    if len(units) > always_open and coverage.minimum:
        is_covered = is_open | _mark_moved_units(units, images, fraction, coverage)
        # A window of more units does not fit into the sort keys of dual prices.
        if np.count_nonzero(is_covered) <= MAX_COVERED_UNITS:
            is_open = is_covered
    decided = (units.key <= threshold) & ~is_open
    # Decided test units of each row.
    fixed_rows = np.bincount(units.row[decided], minlength=len(units.matrix))
    unit = np.flatnonzero(is_open)
    row_ids, row = np.unique(units.row[unit], return_inverse=True)
    open_units = Units(
        key=units.key[unit],
        source=units.source[unit],
        row=row,
        size=units.size[unit],
        matrix=units.matrix.take_rows(row_ids),
    )
    # Signatures are numbered by their content, so the order of entries has no effect.
    order, first = sort_by_signature(open_units, label_hashes)
    unit = unit[order]
    window = Window(
        fraction=fraction,
        threshold=_shorten_key(threshold),
        needed=test_entries - int(units.size[decided].sum()),
        images=images,
        fixed=units.matrix.sum_by_label(fixed_rows, len(images)),
        matrix=open_units.matrix.take_rows(row[order[first]]),
        size=units.size[unit[first]].astype(np.int64),
        start=np.concatenate((first, [len(unit)])),
        unit=unit,
        short_key=(units.key[unit] >> np.uint64(64 - KEY_BITS)).astype(np.int64),
        is_complete=len(unit) == len(units),
        bounds=units.bounds,
        coverage=coverage,
    )
    return window, decided


def _mark_moved_units(
    units: Units, images: Ints, fraction: Fraction, coverage: Coverage
) -> NDArray[np.bool_]:
    """Whether each unit has a label whose target is not its share."""
    moved = coverage.clamp_shares(images, fraction) != fraction.numerator * images
    has_moved: NDArray[np.bool_] = (units.matrix.sum_by_row(moved.astype(np.int64)) > 0)[units.row]
    return has_moved


def _mark_near_units(
    units: Units, images: Ints, fraction: Fraction, threshold: np.uint64, sigmas: int
) -> NDArray[np.bool_]:
    """Whether each unit's key is within `sigmas` standard deviations, summed over its labels, of the threshold."""
    variance = float(fraction * (1 - fraction))
    reach = sigmas * np.sqrt(variance / np.maximum(images, 1)) * 2.0**KEY_BITS
    # The dual prices of a unit's labels add up, so the widths of the labels do.
    widths = units.matrix.sum_by_row(np.rint(reach).astype(np.int64))[units.row]
    distance = (units.key >> np.uint64(64 - KEY_BITS)).astype(np.int64)
    distance -= _shorten_key(threshold)
    near: NDArray[np.bool_] = np.abs(distance) <= widths
    return near


def _shorten_key(key: np.uint64) -> int:
    """The first KEY_BITS bits of a key."""
    return int(key) >> (64 - KEY_BITS)
