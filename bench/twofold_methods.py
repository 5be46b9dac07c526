"""Twofold as a method of the comparison. Each split is checked against its certificate."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.divisions import Division
from bench.partition import NotAPartitionError, Parts
from twofold.split import LabelSets, PreviousSide, select_test_entries


def split_with_twofold(data: Dataset, division: Division, seed: int) -> Parts:
    return _select(data, division, seed, None)


def split_groups_with_twofold(data: Dataset, division: Division, seed: int) -> Parts:
    return _select(data, division, seed, data.groups)


def keep_twofold_split(
    data: Dataset, division: Division, seed: int, previous: NDArray[np.int8]
) -> Parts:
    return _select(data, division, seed, None, _name_sides(previous))


def keep_twofold_group_split(
    data: Dataset, division: Division, seed: int, previous: NDArray[np.int8]
) -> Parts:
    return _select(data, division, seed, data.groups, _name_sides(previous))


def _name_sides(previous: NDArray[np.int8]) -> NDArray[np.uint8]:
    sides = np.where(previous == 1, PreviousSide.TEST, PreviousSide.TRAINING)
    return np.where(previous < 0, PreviousSide.NEW, sides).astype(np.uint8)


def _select(
    data: Dataset,
    division: Division,
    seed: int,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None = None,
) -> Parts:
    """Raises NotAPartitionError if the certificate does not match the split."""
    selection = select_test_entries(
        **_describe_entries(data),
        fraction=division.shares[1],
        seed=seed,
        groups=groups,
        previous=previous,
    )
    parts = selection.test_mask.astype(np.uint8)
    if groups is None and np.bincount(parts, minlength=2).tolist() != division.apportion(len(data)):
        raise NotAPartitionError("The number of test entries is not the share.")
    if selection.certificate.deviation != _sum_deviation(data, division, parts):
        raise NotAPartitionError("The deviation is not the one in the certificate.")
    return parts


def _describe_entries(data: Dataset) -> dict[str, Any]:
    return {
        "source": data.source,
        "label_set": np.arange(len(data), dtype=np.uint32),
        "label_sets": LabelSets(
            offsets=data.offsets,
            labels=data.labels.astype(np.uint32),
            names=tuple(f"label-{number}" for number in range(data.label_count)),
        ),
    }


def _sum_deviation(data: Dataset, division: Division, parts: Parts) -> Fraction:
    """The exact total deviation of the test set, with unlabelled entries as a further label."""
    columns = data.build_columns()
    share = division.shares[1]
    images, test = columns.count_images(), columns.count_images(parts == 1)
    scaled = np.abs(share.denominator * test - share.numerator * images)
    return Fraction(int(scaled.sum()), share.denominator)
