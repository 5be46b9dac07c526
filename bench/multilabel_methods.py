"""iterative-stratification, scikit-multilearn, splitkit and dataset-splitter as methods of the comparison."""

import numpy as np

from bench.datasets import Dataset
from bench.divisions import Division
from bench.partition import Parts, number_parts
from bench.sklearn_methods import Rows, number_folds, split_off_parts

EXACT_SECONDS = 20
"""The time limit of splitkit's solver, as in splitkit's own benchmarks."""


def stratify_iteratively(data: Dataset, division: Division, seed: int) -> Parts:
    """Entries without labels fill up the sizes, so they are no label here."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit

    matrix = data.build_dense_matrix()
    if division.folds:
        folds = MultilabelStratifiedKFold(len(division.shares), shuffle=True, random_state=seed)
        return number_folds(data, list(folds.split(matrix, matrix)), division)

    def divide(rows: Rows, size: int) -> tuple[Rows, Rows]:
        splitter = MultilabelStratifiedShuffleSplit(1, test_size=size, random_state=seed)
        remaining, part = next(splitter.split(matrix[rows], matrix[rows]))
        return rows[remaining], rows[part]

    return split_off_parts(data, division, divide)


def stratify_with_scikit_multilearn(data: Dataset, division: Division, seed: int) -> Parts:
    """Stratify by pairs of labels, as `iterative_train_test_split` does."""
    from skmultilearn.model_selection import IterativeStratification

    np.random.seed(seed)
    matrix = data.build_dense_matrix()
    shares = [float(share) for share in division.shares]
    splitter = IterativeStratification(len(shares), order=2, sample_distribution_per_fold=shares)
    folds = splitter.split(np.zeros(len(data)), matrix)
    return number_parts(len(data), [test for _, test in folds])


def anneal_with_splitkit(data: Dataset, division: Division, seed: int) -> Parts:
    """The default strategy, with its default of 300,000 evaluations."""
    return _split_with_splitkit(data, division, seed, "annealing", None)


def solve_with_splitkit(data: Dataset, division: Division, seed: int) -> Parts:
    """The mixed-integer programme, within EXACT_SECONDS by the clock."""
    return _split_with_splitkit(data, division, seed, "exact", EXACT_SECONDS)


def _split_with_splitkit(
    data: Dataset, division: Division, seed: int, strategy: str, seconds: float | None
) -> Parts:
    import splitkit

    result = splitkit.split(
        groups=np.arange(len(data)) if data.groups is None else data.groups,
        y=data.build_columns().build_dense_matrix(),
        ratios=[float(share) for share in division.shares],
        strategy=strategy,
        time_budget=seconds,
        seed=seed,
    )
    return number_parts(len(data), result.indices.astuple())


def split_with_dataset_splitter(data: Dataset, division: Division, seed: int) -> Parts:
    """Stratify by label set: `target` is one value for each entry."""
    import dataset_splitter
    import pandas as pd

    sizes = division.apportion(len(data))
    columns = {"labels": data.number_label_sets().astype(str)}
    if data.groups is not None:
        columns["group"] = data.groups.astype(str)
    split = dataset_splitter.split(
        pd.DataFrame(columns),
        target="labels",
        group=None if data.groups is None else "group",
        test_size=sizes[-1],
        val_size=sizes[1] if len(sizes) == 3 else 0,
        random_state=seed,
        dedupe=False,
    )
    return number_parts(len(data), split.indices.values())
