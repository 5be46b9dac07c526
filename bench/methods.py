"""The splitters: each takes a dataset and a seed and returns whether each entry is in the test set.

Peers are called as in their documentation. Building a peer's input (a dense matrix of labels) counts as its time.
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
    """A splitter of an installed `package`; its `module` is imported before the time starts.

    `grouped` splitters keep groups whole. `keep`, if any, splits a grown dataset with the PreviousSide of each entry.
    """

    title: str
    package: str
    module: str
    split: Callable[[Dataset, int], Mask]
    grouped: bool = False
    keep: Callable[[Dataset, int, NDArray[np.uint8]], Mask] | None = None

    def version(self) -> str | None:
        """The installed version of the package, or None."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


class NotAPartitionError(Exception):
    """The result of a splitter is not a split of the entries."""


def mask(count: int, train: Iterable[int], test: Iterable[int]) -> Mask:
    """The test mask. Raises NotAPartitionError unless every entry is on exactly one side."""
    sides = [np.fromiter(side, np.int64) for side in (train, test)]
    if not np.array_equal(np.sort(np.concatenate(sides)), np.arange(count)):
        raise NotAPartitionError("Not every entry is on exactly one side.")
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[sides[1]] = True
    return chosen


def split_with_twofold(data: Dataset, seed: int) -> Mask:
    return _split_with_twofold(data, seed, None)


def split_groups_with_twofold(data: Dataset, seed: int) -> Mask:
    return _split_with_twofold(data, seed, data.groups)


def keep_twofold_split(data: Dataset, seed: int, previous: NDArray[np.uint8]) -> Mask:
    return _split_with_twofold(data, seed, None, previous)


def keep_twofold_group_split(data: Dataset, seed: int, previous: NDArray[np.uint8]) -> Mask:
    return _split_with_twofold(data, seed, data.groups, previous)


def _split_with_twofold(
    data: Dataset,
    seed: int,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None = None,
) -> Mask:
    """Raises NotAPartitionError if the certificate does not match the split."""
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
    if groups is None and selection.test_mask.sum() != (2 * len(data) + 5) // 10:
        raise NotAPartitionError("The number of test entries is not the share.")
    if selection.certificate.deviation != _compute_deviation(data, selection.test_mask):
        raise NotAPartitionError("The deviation is not the one in the certificate.")
    return selection.test_mask


def _compute_deviation(data: Dataset, test: Mask) -> Fraction:
    """The total deviation over labels, with unlabelled entries as a further label."""
    unlabelled = np.diff(data.offsets) == 0
    images = np.append(data.count_images(), unlabelled.sum())
    test_images = np.append(data.count_images(test), (unlabelled & test).sum())
    return Fraction(int(np.abs(5 * test_images - images).sum()), 5)


def shuffle(data: Dataset, seed: int) -> Mask:
    order = np.random.default_rng(seed).permutation(len(data))
    size = (2 * len(data) + 5) // 10
    return mask(len(data), order[size:], order[:size])


def split_with_sklearn(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(len(data)), test_size=SHARE, random_state=seed)
    return mask(len(data), train, test)


def stratify_with_sklearn(data: Dataset, seed: int) -> Mask:
    """Stratify by label set: `stratify` takes one value for each entry."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(data)), test_size=SHARE, random_state=seed, stratify=data.number_label_sets()
    )
    return mask(len(data), train, test)


def split_groups_with_sklearn(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(n_splits=1, test_size=SHARE, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(data)), groups=data.groups))
    return mask(len(data), train, test)


def stratify_groups_with_sklearn(data: Dataset, seed: int) -> Mask:
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(data)), data.number_label_sets(), data.groups))
    return mask(len(data), train, test)


def stratify_iteratively(data: Dataset, seed: int) -> Mask:
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

    splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=SHARE, random_state=seed)
    matrix = data.build_dense_matrix()
    train, test = next(splitter.split(matrix, matrix))
    return mask(len(data), train, test)


def stratify_with_scikit_multilearn(data: Dataset, seed: int) -> Mask:
    from skmultilearn.model_selection import iterative_train_test_split

    np.random.seed(seed)
    entries = np.arange(len(data))[:, None]
    train, _, test, _ = iterative_train_test_split(
        entries, data.build_dense_matrix(), test_size=SHARE
    )
    return mask(len(data), train.ravel(), test.ravel())


METHODS = {
    "twofold": Method("Twofold", "twofold", "twofold.split", split_with_twofold),
    "twofold-grouped": Method(
        "Twofold, by group", "twofold", "twofold.split", split_groups_with_twofold, grouped=True
    ),
    "twofold-kept": Method(
        "Twofold, given the previous split",
        "twofold",
        "twofold.split",
        split_with_twofold,
        keep=keep_twofold_split,
    ),
    "twofold-grouped-kept": Method(
        "Twofold, by group, given the previous split",
        "twofold",
        "twofold.split",
        split_groups_with_twofold,
        grouped=True,
        keep=keep_twofold_group_split,
    ),
    "shuffle": Method("plain shuffle", "numpy", "numpy", shuffle),
    "sklearn": Method(
        "scikit-learn, random", "scikit-learn", "sklearn.model_selection", split_with_sklearn
    ),
    "sklearn-stratified": Method(
        "scikit-learn, stratified by label set",
        "scikit-learn",
        "sklearn.model_selection",
        stratify_with_sklearn,
    ),
    "sklearn-groups": Method(
        "scikit-learn, GroupShuffleSplit",
        "scikit-learn",
        "sklearn.model_selection",
        split_groups_with_sklearn,
        grouped=True,
    ),
    "sklearn-stratified-groups": Method(
        "scikit-learn, StratifiedGroupKFold",
        "scikit-learn",
        "sklearn.model_selection",
        stratify_groups_with_sklearn,
        grouped=True,
    ),
    "iterstrat": Method(
        "iterative-stratification",
        "iterative-stratification",
        "iterstrat.ml_stratifiers",
        stratify_iteratively,
    ),
    "skmultilearn": Method(
        "scikit-multilearn",
        "scikit-multilearn",
        "skmultilearn.model_selection",
        stratify_with_scikit_multilearn,
    ),
}
