"""Measures of a split: the objectives of Twofold and of splitkit, and a lower bound.

For P parts and L labels; entries without labels count as a label of their own.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.partition import Parts

Counts = NDArray[np.int64]


def count_labels(data: Dataset, parts: Parts, part_count: int) -> Counts:
    """The entries of each part with each label, int64[P, L]: without the labels that no entry has."""
    columns = data.build_columns()
    return np.array([columns.count_images(parts == part) for part in range(part_count)])


def compute_deviations(counts: Counts, shares: Sequence[Fraction]) -> NDArray[np.float64]:
    """`|t - f n|` of each part and label, float64[P, L]."""
    denominator = np.lcm.reduce([share.denominator for share in shares])
    weights = np.array([int(share * int(denominator)) for share in shares])
    scaled: NDArray[np.int64] = np.abs(denominator * counts - np.outer(weights, counts.sum(axis=0)))
    return scaled / float(denominator)


def compute_total_deviation(deviations: NDArray[np.float64]) -> float:
    """The sum that Twofold minimizes: of the test set for two parts, else over all parts."""
    return float(deviations[-1].sum() if len(deviations) == 2 else deviations.sum())


def compute_relative_cost(
    counts: Counts,
    sizes: NDArray[np.int64],
    label_groups: NDArray[np.int64],
    shares: Sequence[Fraction],
) -> float:
    """splitkit's objective: the sum over parts and labels of w |t - f n| / (f n + 1), and the same for sizes.

    The weight w of a label is proportional to 1 / n and 1 on average, so rare labels weigh most. Sizes have the weight 1.
    `label_groups` int64[L]: labels in fewer groups than there are parts have no weight. Source: problem.py and objectives.py of
    splitkit 0.1.0.
    """
    images = counts.sum(axis=0)
    counted = label_groups >= len(shares)
    inverse = np.where(counted, 1 / np.maximum(images, 1), 0)
    weights = np.append(inverse / inverse[counted].mean(), 1)
    columns = np.column_stack([counts, sizes])
    targets = np.outer([float(share) for share in shares], columns.sum(axis=0))
    return float((weights * np.abs(columns - targets) / (targets + 1)).sum())


def count_groups_of_labels(data: Dataset) -> NDArray[np.int64]:
    """The number of groups with each label, int64[L]: entries are groups of their own in data without groups."""
    columns = data.build_columns()
    if columns.groups is None:
        return columns.count_images()
    owners = np.repeat(columns.groups, np.diff(columns.offsets))
    pairs = np.unique(np.stack([owners, columns.labels.astype(np.uint64)]), axis=1)
    return np.bincount(pairs[1].astype(np.int64), minlength=columns.label_count)


def compute_floor(images: NDArray[np.int64], shares: Sequence[Fraction]) -> float:
    """The least total deviation of whole numbers of images: for each label the sizes of parts by largest remainder."""
    total = Fraction(0)
    for count in images.tolist():
        remainders = sorted((share * count % 1 for share in shares), reverse=True)
        raised = int(sum(remainders))
        total += sum(1 - remainder for remainder in remainders[:raised]) + sum(remainders[raised:])
    return float(total / 2 if len(shares) == 2 else total)
