"""The splitters: each takes a dataset, a division and a seed and returns the part of each entry.

Peers are called as in their documentation. Building a peer's input (a dense matrix of labels) counts as its time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from bench import multilabel_methods, sklearn_methods, twofold_methods
from bench.datasets import Dataset
from bench.divisions import DIVISIONS, Division
from bench.partition import Parts, number_parts


@dataclass(frozen=True, slots=True)
class Method:
    """A splitter of an installed `package`. The worker imports `module` before the time starts.

    `grouped` splitters keep groups whole; splitters with `needs_groups` run on data with groups only. `divisions` are the
    supported keys of DIVISIONS, `most_cells` is the largest number of entries times labels without minutes of work,
    `most_units` the largest number of groups (of entries, in data without groups). `keep`, if any, splits a grown dataset
    with the previous part of each entry, -1 for a new entry.
    """

    title: str
    package: str
    module: str
    split: Callable[[Dataset, Division, int], Parts]
    grouped: bool = False
    needs_groups: bool = False
    divisions: tuple[str, ...] = tuple(DIVISIONS)
    most_cells: int | None = None
    most_units: int | None = None
    keep: Callable[[Dataset, Division, int, NDArray[np.int8]], Parts] | None = None

    def version(self) -> str | None:
        """The installed version of the package, or None."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None

    def explain_omission(self, data: Dataset) -> str | None:
        """The reason not to run on a dataset of this size, or None."""
        cells, units = len(data) * data.label_count, data.count_units()
        if self.most_cells is not None and cells > self.most_cells:
            return f"not run: takes minutes above {self.most_cells:,} entries times labels"
        if self.most_units is not None and units > self.most_units:
            return f"not run: not offered above {self.most_units:,} groups"
        return None


def shuffle(data: Dataset, division: Division, seed: int) -> Parts:
    order = np.random.default_rng(seed).permutation(len(data))
    ends = np.cumsum(division.apportion(len(data)))[:-1]
    return number_parts(len(data), np.split(order, ends))


METHODS = {
    "twofold": Method(
        "Twofold",
        "twofold",
        "twofold.split",
        twofold_methods.split_with_twofold,
        keep=twofold_methods.keep_twofold_split,
    ),
    "twofold-grouped": Method(
        "Twofold, by group",
        "twofold",
        "twofold.split",
        twofold_methods.split_groups_with_twofold,
        grouped=True,
        needs_groups=True,
        keep=twofold_methods.keep_twofold_group_split,
    ),
    "splitkit": Method(
        "splitkit, annealing",
        "splitkit",
        "splitkit",
        multilabel_methods.anneal_with_splitkit,
        grouped=True,
    ),
    "splitkit-exact": Method(
        "splitkit, exact",
        "splitkit",
        "splitkit",
        multilabel_methods.solve_with_splitkit,
        grouped=True,
        most_units=10_000,
    ),
    "iterstrat": Method(
        "iterative-stratification",
        "iterative-stratification",
        "iterstrat.ml_stratifiers",
        multilabel_methods.stratify_iteratively,
    ),
    "skmultilearn": Method(
        "scikit-multilearn",
        "scikit-multilearn",
        "skmultilearn.model_selection",
        multilabel_methods.stratify_with_scikit_multilearn,
        most_cells=2_000_000,
    ),
    "sklearn-stratified-groups": Method(
        "scikit-learn, StratifiedGroupKFold",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_methods.stratify_groups,
        grouped=True,
        needs_groups=True,
    ),
    "sklearn-groups": Method(
        "scikit-learn, random groups",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_methods.shuffle_groups,
        grouped=True,
        needs_groups=True,
    ),
    "sklearn-stratified": Method(
        "scikit-learn, stratified by label set",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_methods.stratify_by_label_set,
    ),
    "sklearn": Method(
        "scikit-learn, random",
        "scikit-learn",
        "sklearn.model_selection",
        sklearn_methods.split_randomly,
    ),
    "dataset-splitter": Method(
        "dataset-splitter",
        "dataset-splitter",
        "dataset_splitter",
        multilabel_methods.split_with_dataset_splitter,
        grouped=True,
        divisions=("two", "three"),
    ),
    "shuffle": Method("plain shuffle", "numpy", "numpy", shuffle),
}
