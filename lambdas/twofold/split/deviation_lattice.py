"""The values that a total deviation can have, so that a lower bound rounds up to one of them.

Let `q` be the denominator of the fraction, `r_l` the remainder of `p n_l` by `q`, and m_l = min(r_l, q - r_l). All deviations
are multiplied by `q`. The deviation of label `l` is then m_l or q - m_l, plus a multiple of `q`: for whole numbers `t`,
|q t - p n_l| has no other values. So a sum of deviations exceeds the integrality floor, the sum of all m_l, by

    a sum over some labels of q - 2 m_l, plus a multiple of q

|d| and d have the same parity, so the sum of deviations has the parity of q T - p n, where T is the number of all labels of all
test entries, and n that of all entries. With an even `q` or a known parity of T this excludes half of the values. The parity of
T is known if all units have an even number of labels, or all units an odd number for each entry.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from twofold.label_sets import Ints
from twofold.split.label_matrix import LabelMatrix

MAX_DENOMINATOR = 1_000
"""Up to this denominator the sums of the labels count, above it the parity alone."""

_IMPOSSIBLE = np.int64(1) << np.int64(61)


@dataclass(frozen=True, slots=True)
class DeviationLattice:
    """The possible excesses over the integrality floor `floor`: for each residue `r`, those from `least_excess[r]` on."""

    floor: int
    least_excess: Ints

    @classmethod
    def build(
        cls, images: Ints, fraction: Fraction, label_parity: int | None
    ) -> "DeviationLattice":
        """`images` of each label; `label_parity` is the parity of the labels of all test entries, if known."""
        denominator = fraction.denominator
        remainder = fraction.numerator * images % denominator
        floors = np.minimum(remainder, denominator - remainder)
        floor = int(floors.sum())
        if denominator > MAX_DENOMINATOR:
            least_excess = np.array([0, 1], dtype=np.int64)
        else:
            least_excess = _compute_least_excess(denominator, denominator - 2 * floors)
        if denominator % 2 == 0 or label_parity is not None:
            test_labels = denominator * (label_parity or 0)
            parity = test_labels - fraction.numerator * int(images.sum()) - floor
            residue = np.arange(len(least_excess), dtype=np.int64)
            least_excess[residue % 2 != parity % 2] = _IMPOSSIBLE
        return cls(floor, least_excess)

    def round_up(self, value: int) -> int:
        """The least possible sum of deviations that is at least `value`."""
        excess = max(0, value - self.floor)
        modulus = len(self.least_excess)
        residue = np.arange(modulus, dtype=np.int64)
        following = excess + (residue - excess) % modulus
        return self.floor + int(np.maximum(following, self.least_excess).min())


def _compute_least_excess(denominator: int, steps: Ints) -> Ints:
    """For each residue modulo 2 * denominator the least sum of a subset of `steps` and a multiple of the denominator."""
    modulus = 2 * denominator
    least = np.full(modulus, _IMPOSSIBLE, dtype=np.int64)
    least[0], least[denominator] = 0, denominator
    for step, count in zip(*np.unique(steps, return_counts=True), strict=True):
        for _ in range(count):
            # Each round lets one more label of this step take it.
            more = np.minimum(least, np.roll(least, step) + step)
            if np.array_equal(more, least):
                break
            least = more
    return least


def find_label_parity(matrix: LabelMatrix, size: Ints, test_entries: int) -> int | None:
    """The parity of the number of labels of all test entries, or None if it depends on the split.

    A unit with the labels of row `i` of `matrix` has `size[i]` entries; no unit has a row with the size 0.
    """
    used = size > 0
    label_count = int(matrix.labels.max(initial=0)) + 1
    labels = matrix.sum_by_row(np.ones(label_count, dtype=np.int64))
    if not np.any(labels[used] % 2):
        return 0
    return None if np.any((labels - size)[used] % 2) else test_entries % 2
