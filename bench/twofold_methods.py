"""Twofold as a method of the comparison. Each split is checked against its certificate."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.divisions import Division
from bench.partition import NotAPartitionError, Parts
from twofold.split import LabelSets, PreviousSide, select_test_entries
from twofold.split.parts import select_parts


def split_with_twofold(data: Dataset, division: Division, seed: int) -> Parts:
    return _split(data, division, seed, None)


def split_groups_with_twofold(data: Dataset, division: Division, seed: int) -> Parts:
    return _split(data, division, seed, data.groups)


def _split(
    data: Dataset, division: Division, seed: int, groups: NDArray[np.uint64] | None
) -> Parts:
    if len(division.shares) == 2:
        return _select_test(data, division, seed, groups)
    return _select_parts(data, division, seed, groups)


def keep_twofold_split(
    data: Dataset, division: Division, seed: int, previous: NDArray[np.int8]
) -> Parts:
    return _select_test(data, division, seed, None, _name_sides(previous))


def keep_twofold_group_split(
    data: Dataset, division: Division, seed: int, previous: NDArray[np.int8]
) -> Parts:
    return _select_test(data, division, seed, data.groups, _name_sides(previous))


def _name_sides(previous: NDArray[np.int8]) -> NDArray[np.uint8]:
    sides = np.where(previous == 1, PreviousSide.TEST, PreviousSide.TRAINING)
    return np.where(previous < 0, PreviousSide.NEW, sides).astype(np.uint8)


def _select_test(
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
    if selection.certificate.deviation != _sum_deviation(data, division.shares[1], parts == 1):
        raise NotAPartitionError("The deviation is not the one in the certificate.")
    return parts


def _select_parts(
    data: Dataset, division: Division, seed: int, groups: NDArray[np.uint64] | None
) -> Parts:
    """Raises NotAPartitionError if the certificate does not match the division."""
    selection = select_parts(
        **_describe_entries(data), fractions=division.shares, seed=seed, groups=groups
    )
    sizes = np.bincount(selection.part, minlength=len(division.shares)).tolist()
    if groups is None and division.count_misplaced(sizes):
        raise NotAPartitionError("The numbers of entries are not the shares.")
    deviations = [
        _sum_deviation(data, share, selection.part == part)
        for part, share in enumerate(division.shares)
    ]
    if selection.certificate.deviation != sum(deviations):
        raise NotAPartitionError("The deviation is not the one in the certificate.")
    return selection.part


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


def _sum_deviation(data: Dataset, share: Fraction, chosen: NDArray[np.bool_]) -> Fraction:
    """The exact sum of the deviations of a part, with unlabelled entries as a further label."""
    columns = data.build_columns()
    images, part_images = columns.count_images(), columns.count_images(chosen)
    scaled = np.abs(share.denominator * part_images - share.numerator * images)
    return Fraction(int(scaled.sum()), share.denominator)
