"""scikit-learn as methods of the comparison: three parts by two calls, with exact sizes where it takes a number of entries."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.divisions import Division
from bench.partition import Parts, number_parts

Rows = NDArray[np.int64]

FOLDS_FOR_PARTS = 20
"""Folds that StratifiedGroupKFold joins to 70/15/15: 14, 3 and 3 of them."""


def split_off_parts(
    data: Dataset, division: Division, divide: Callable[[Rows, int], tuple[Rows, Rows]]
) -> Parts:
    """Split off the last part, then the part before it, and so on: `divide(rows, size)` returns the other rows and the part."""
    remaining = np.arange(len(data))
    parts: list[Rows] = []
    for size in reversed(division.apportion(len(data))[1:]):
        remaining, part = divide(remaining, size)
        parts = [part, *parts]
    return number_parts(len(data), [remaining, *parts])


def number_folds(data: Dataset, folds: list[tuple[Rows, Rows]], division: Division) -> Parts:
    """Parts of as many of the folds (their test rows) as the shares demand."""
    tests = [test for _, test in folds]
    sizes = division.apportion(len(tests))
    ends = np.cumsum([0, *sizes])
    joined = [np.concatenate(tests[first:end]) for first, end in pairwise(ends)]
    return number_parts(len(data), joined)


def split_randomly(data: Dataset, division: Division, seed: int) -> Parts:
    from sklearn.model_selection import KFold, train_test_split

    if division.folds:
        folds = KFold(len(division.shares), shuffle=True, random_state=seed)
        return number_folds(data, list(folds.split(np.zeros(len(data)))), division)
    return split_off_parts(
        data,
        division,
        lambda rows, size: train_test_split(rows, test_size=size, random_state=seed),
    )


def stratify_by_label_set(data: Dataset, division: Division, seed: int) -> Parts:
    """`stratify` takes one value for each entry: the label set."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    label_sets = data.number_label_sets()
    if division.folds:
        folds = StratifiedKFold(len(division.shares), shuffle=True, random_state=seed)
        return number_folds(data, list(folds.split(np.zeros(len(data)), label_sets)), division)
    return split_off_parts(
        data,
        division,
        lambda rows, size: train_test_split(
            rows, test_size=size, random_state=seed, stratify=label_sets[rows]
        ),
    )


def shuffle_groups(data: Dataset, division: Division, seed: int) -> Parts:
    from sklearn.model_selection import GroupKFold, GroupShuffleSplit

    groups = data.groups if data.groups is not None else np.arange(len(data))
    if division.folds:
        folds = GroupKFold(len(division.shares), shuffle=True, random_state=seed)
        return number_folds(data, list(folds.split(np.zeros(len(data)), groups=groups)), division)

    def divide(rows: Rows, size: int) -> tuple[Rows, Rows]:
        splitter = GroupShuffleSplit(1, test_size=size / len(rows), random_state=seed)
        remaining, part = next(splitter.split(rows, groups=groups[rows]))
        return rows[remaining], rows[part]

    return split_off_parts(data, division, divide)


def stratify_groups(data: Dataset, division: Division, seed: int) -> Parts:
    """Stratify whole groups by label set, in folds that are joined to parts."""
    from sklearn.model_selection import StratifiedGroupKFold

    count = FOLDS_FOR_PARTS if len(set(division.shares)) == 2 and len(division.shares) > 2 else 5
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    folds = list(splitter.split(np.zeros(len(data)), data.number_label_sets(), data.groups))
    return number_folds(data, folds, division)
