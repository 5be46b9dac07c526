"""Shares of parts in exact arithmetic: numbers of entries by largest remainder, and the least deviation of whole numbers.

Costs are integers: deviations times the common denominator D of all fractions. For P parts and L labels, `scaled` arrays are
int64[P, L] with D times the share of each part and label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from twofold.fraction import MAX_DENOMINATOR
from twofold.label_sets import Ints

MAX_PARTS = 100


@dataclass(frozen=True, slots=True)
class PartShares:
    """The fractions of the parts, `numerators[p] / denominator`; they add up to 1."""

    numerators: Ints
    denominator: int

    def __len__(self) -> int:
        return len(self.numerators)

    @classmethod
    def from_fractions(cls, fractions: Sequence[Fraction]) -> "PartShares":
        """Raises ValueError unless there are 2 to MAX_PARTS positive fractions with the sum 1 and a small denominator."""
        if not 2 <= len(fractions) <= MAX_PARTS:
            raise ValueError(f"There must be 2 to {MAX_PARTS} parts, not {len(fractions)}.")
        if min(fractions) <= 0 or sum(fractions) != 1:
            raise ValueError("The fractions of the parts must be positive and add up to 1.")
        denominator = lcm(*(fraction.denominator for fraction in fractions))
        if denominator > MAX_DENOMINATOR:
            raise ValueError(
                f"The fractions of the parts must have a common denominator of at most {MAX_DENOMINATOR:,}; "
                f"it is {denominator:,}."
            )
        numerators = [int(fraction * denominator) for fraction in fractions]
        return cls(np.array(numerators, dtype=np.int64), denominator)

    def scale(self, images: Ints) -> Ints:
        """D times the share of each part (row) in the images of each label (column)."""
        return self.numerators[:, None] * images[None, :]

    def round_entries(self, entries: int) -> Ints:
        """The number of entries of each part by largest remainder; of equal remainders the later part's is rounded up."""
        low, remainder = np.divmod(self.numerators * entries, self.denominator)
        order = np.lexsort((-np.arange(len(self)), -remainder))
        low[order[: entries - int(low.sum())]] += 1
        return low

    def compute_cost(self, images: Ints, part_images: Ints) -> int:
        """The sum over parts and labels of |D * part_images - D * share|; `part_images` is int64[P, L]."""
        return int(np.abs(self.denominator * part_images - self.scale(images)).sum())

    def compute_floor(self, images: Ints) -> int:
        """The joint integrality floor: the least cost of whole numbers of images that add up to the images of each label.

        By convexity the best whole numbers are the rounded shares: those with the largest remainders are rounded up, as many
        as the remainders have whole images in all.
        """
        remainders = np.sort(self.scale(images) % self.denominator, axis=0)[::-1]
        rounded_up = remainders.sum(axis=0) // self.denominator
        is_up = np.arange(len(self))[:, None] < rounded_up[None, :]
        return int(np.where(is_up, self.denominator - remainders, remainders).sum())

    def compute_pair_floor(self, images: Ints, part_images: Ints, pair: tuple[int, int]) -> int:
        """The least cost of the labels of two parts that together keep their images."""
        scaled = self.scale(images)[list(pair)]
        together = part_images[list(pair)].sum(axis=0)
        # The cost of a label is convex in the images t of the second part, with kinks at both shares.
        kinks = (scaled[1] // self.denominator, together - scaled[0] // self.denominator)
        candidates = np.stack([kink + step for kink in kinks for step in (-1, 0, 1)])
        first = np.abs(self.denominator * (together - candidates) - scaled[0])
        return int((first + np.abs(self.denominator * candidates - scaled[1])).min(axis=0).sum())
