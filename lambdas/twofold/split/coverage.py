"""Coverage: at least N images of a label on each side, for every label with 2 N images or more.

Let label `l` have `n` images. On the test side N <= t <= n - N. Within these limits |t - f n| equals |t - target| plus a
constant, where the target is the share `f n`, clamped to the limits. So the split aims at the targets, and adds the constants,
the *offset*, to costs and bounds. Programmes have the limits as bounds of their columns.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints


class CoverageError(ValueError):
    """No split with the coverage was found. The message names labels and a lower number that works, if there is one."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """At least `minimum` images on each side, for the first `label_count` columns that have enough images."""

    minimum: int
    label_count: int

    def mark_covered(self, images: Ints) -> NDArray[np.bool_]:
        """Whether each column is a label with at least twice the minimum of images."""
        is_label = np.arange(len(images)) < self.label_count
        covered: NDArray[np.bool_] = is_label & (images >= 2 * self.minimum)
        return covered

    def compute_limits(self, images: Ints) -> tuple[Ints, Ints]:
        """The least and the largest number of test images of each column."""
        covered = self.mark_covered(images)
        least = np.where(covered, self.minimum, 0)
        return least, images - least

    def clamp_shares(self, images: Ints, fraction: Fraction) -> Ints:
        """The targets, times the denominator of the fraction."""
        least, largest = self.compute_limits(images)
        shares = fraction.numerator * images
        targets: Ints = np.clip(
            shares, fraction.denominator * least, fraction.denominator * largest
        )
        return targets

    def count_shortfall(self, images: Ints, test_images: Ints) -> Ints:
        """The images of each column that are missing on a side."""
        least, largest = self.compute_limits(images)
        shortfall: Ints = np.maximum(least - test_images, 0) + np.maximum(test_images - largest, 0)
        return shortfall

    def compute_offset(self, images: Ints, fraction: Fraction) -> int:
        """The sum of the distances between shares and targets, times the denominator of the fraction."""
        moved = self.clamp_shares(images, fraction) - fraction.numerator * images
        return int(np.abs(moved).sum())


NO_COVERAGE = Coverage(0, 0)
