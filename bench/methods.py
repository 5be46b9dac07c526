"""The splitters: each takes a dataset and a seed and says of every entry whether it is tested.

Peers are called as their documentation does. A peer's own reading of the data (a dense matrix of labels) is part of its time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset

SHARE = 0.2
FRACTION = Fraction(1, 5)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Method:
    """`package` is what must be installed, `module` what is imported before time is taken, `grouped` whether groups are kept
    whole. `keep` splits a grown dataset where that can be told the previous split: a Previously for each entry."""

    title: str
    package: str
    module: str
    split: Callable[[Dataset, int], Mask]
    grouped: bool = False
    keep: Callable[[Dataset, int, NDArray[np.uint8]], Mask] | None = None

    def version(self) -> str | None:
        """None where the package is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


class NotAPartitionError(Exception):
    """What a splitter returned is not a split of the entries."""


def mask(count: int, train: Iterable[int], test: Iterable[int]) -> Mask:
    """Raises NotAPartitionError unless every entry is on exactly one side."""
    sides = [np.fromiter(side, np.int64) for side in (train, test)]
    if not np.array_equal(np.sort(np.concatenate(sides)), np.arange(count)):
        raise NotAPartitionError("Not every entry is on exactly one side.")
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[sides[1]] = True
    return chosen


def twofold(data: Dataset, seed: int) -> Mask:
    return _twofold(data, seed, None)


def twofold_grouped(data: Dataset, seed: int) -> Mask:
    return _twofold(data, seed, data.groups)


def twofold_kept(data: Dataset, seed: int, previous: NDArray[np.uint8]) -> Mask:
    return _twofold(data, seed, None, previous)


def twofold_grouped_kept(data: Dataset, seed: int, previous: NDArray[np.uint8]) -> Mask:
    return _twofold(data, seed, data.groups, previous)


def _twofold(
    data: Dataset,
    seed: int,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None = None,
) -> Mask:
    """Raises NotAPartitionError if the certificate does not say what the split is."""
    from twofold.split import LabelSets, select_test_entries

    selection = select_test_entries(
        source=data.source,
        label_set=np.arange(len(data), dtype=np.uint32),
        label_sets=LabelSets(
            offsets=data.offsets,
            labels=data.labels.astype(np.uint32),
            names=tuple(f"label-{number}" for number in range(data.label_count)),
        ),
        fraction=FRACTION,
        seed=seed,
        groups=groups,
        previous=previous,
    )
    if groups is None and selection.test.sum() != (2 * len(data) + 5) // 10:
        raise NotAPartitionError("The number of test entries is not the share.")
    if selection.certificate.deviation != _deviation(data, selection.test):
        raise NotAPartitionError("The deviation is not the one in the certificate.")
    return selection.test


def _deviation(data: Dataset, test: Mask) -> Fraction:
    """Summed over labels, unlabelled entries being one more."""
    bare = np.diff(data.offsets) == 0
    images = np.append(data.images(), bare.sum())
    tested = np.append(data.images(test), (bare & test).sum())
    return Fraction(int(np.abs(5 * tested - images).sum()), 5)


def shuffle(data: Dataset, seed: int) -> Mask:
    order = np.random.default_rng(seed).permutation(len(data))
    size = (2 * len(data) + 5) // 10
    return mask(len(data), order[size:], order[:size])


def sklearn_random(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(len(data)), test_size=SHARE, random_state=seed)
    return mask(len(data), train, test)


def sklearn_stratified(data: Dataset, seed: int) -> Mask:
    """By label set: `stratify` does not take several labels."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(data)), test_size=SHARE, random_state=seed, stratify=data.label_sets()
    )
    return mask(len(data), train, test)


def sklearn_groups(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(n_splits=1, test_size=SHARE, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(data)), groups=data.groups))
    return mask(len(data), train, test)


def sklearn_stratified_groups(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(data)), data.label_sets(), data.groups))
    return mask(len(data), train, test)


def iterative_stratification(data: Dataset, seed: int) -> Mask:
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

    splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=SHARE, random_state=seed)
    matrix = data.matrix()
    train, test = next(splitter.split(matrix, matrix))
    return mask(len(data), train, test)


def scikit_multilearn(data: Dataset, seed: int) -> Mask:
    from skmultilearn.model_selection import iterative_train_test_split

    np.random.seed(seed)
    entries = np.arange(len(data))[:, None]
    train, _, test, _ = iterative_train_test_split(entries, data.matrix(), test_size=SHARE)
    return mask(len(data), train.ravel(), test.ravel())


METHODS = {
    "twofold": Method("Twofold", "twofold", "twofold.split", twofold),
    "twofold-grouped": Method(
        "Twofold, by group", "twofold", "twofold.split", twofold_grouped, grouped=True
    ),
    "twofold-kept": Method(
        "Twofold, told the previous split",
        "twofold",
        "twofold.split",
        twofold,
        keep=twofold_kept,
    ),
    "twofold-grouped-kept": Method(
        "Twofold, by group, told the previous split",
        "twofold",
        "twofold.split",
        twofold_grouped,
        grouped=True,
        keep=twofold_grouped_kept,
    ),
    "shuffle": Method("plain shuffle", "numpy", "numpy", shuffle),
    "sklearn": Method(
        "scikit-learn, random", "scikit-learn", "sklearn.model_selection", sklearn_random
    ),
    "sklearn-stratified": Method(
        "scikit-learn, stratified by label set",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_stratified,
    ),
    "sklearn-groups": Method(
        "scikit-learn, GroupShuffleSplit",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_groups,
        grouped=True,
    ),
    "sklearn-stratified-groups": Method(
        "scikit-learn, StratifiedGroupKFold",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_stratified_groups,
        grouped=True,
    ),
    "iterstrat": Method(
        "iterative-stratification",
        "iterative-stratification",
        "iterstrat.ml_stratifiers",
        iterative_stratification,
    ),
    "skmultilearn": Method(
        "scikit-multilearn", "scikit-multilearn", "skmultilearn.model_selection", scikit_multilearn
    ),
}
