"""`python -m bench proofs [FOLDER]` counts how splits are proved: by the floor, by multipliers, or by the solver alone.

FOLDER has public manifests. Each dataset is split with every fraction of FRACTIONS. The first two proofs can be checked with
integers alone.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.datasets import LONGEST_SOURCE, Dataset, generate_dataset, read_folder
from twofold.split import Certificate, LabelSets, select_test_entries

FRACTIONS = tuple(Fraction(text) for text in ("1/10", "1/5", "1/4", "3/10", "1/3"))
SEEDS = range(20)
EXCLUSIVE_LABELS, OTHER_LABELS = 4, 9
COLUMNS = ("integrality floor", "dual bound", "MILP optimum", "not proven")


def main() -> None:
    families = _generate_families()
    if len(sys.argv) > 1:
        families["public manifests"] = list(read_folder(Path(sys.argv[1])))
    print(f"| Datasets | Splits | {' | '.join(COLUMNS)} |")
    print(f"| --- |{' ---: |' * (1 + len(COLUMNS))}")
    for name, datasets in families.items():
        proofs = Counter(map(name_proof, certify_splits(datasets)))
        cells = [name, proofs.total(), *(proofs[column] for column in COLUMNS)]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _generate_families() -> dict[str, list[Dataset]]:
    return {
        "400 images, 4 exclusive and 9 other labels": [_generate_scenes(400, i) for i in SEEDS],
        "200 images in groups of 5, 8 labels": [
            generate_dataset("", 200, 8, 3, i, group_size=5) for i in SEEDS
        ],
        "200 images in groups of 10, 8 labels": [
            generate_dataset("", 200, 8, 3, i, group_size=10) for i in SEEDS
        ],
    }


def _generate_scenes(count: int, seed: int) -> Dataset:
    """Images with one exclusive label and on average one further label."""
    random = np.random.default_rng(seed)
    chosen = random.random((count, EXCLUSIVE_LABELS + OTHER_LABELS)) < 1 / OTHER_LABELS
    exclusive = random.choice(EXCLUSIVE_LABELS, count, p=[0.6, 0.2, 0.15, 0.05])
    chosen[:, :EXCLUSIVE_LABELS] = np.arange(EXCLUSIVE_LABELS) == exclusive[:, None]
    image, label = np.nonzero(chosen)
    offsets = np.searchsorted(image, np.arange(count + 1))
    source = random.integers(0, LONGEST_SOURCE, count, dtype=np.uint64)
    return Dataset("", chosen.shape[1], offsets, label.astype(np.int32), source)


def certify_splits(datasets: Iterable[Dataset]) -> Iterator[Certificate]:
    for data in datasets:
        names = tuple(f"label-{number}" for number in range(data.label_count))
        for fraction in FRACTIONS:
            yield select_test_entries(
                source=data.source,
                label_set=np.arange(len(data), dtype=np.uint32),
                label_sets=LabelSets(data.offsets, data.labels.astype(np.uint32), names),
                groups=data.groups,
                fraction=fraction,
            ).certificate


def name_proof(certificate: Certificate) -> str:
    return certificate.proof if certificate.optimal else "not proven"


if __name__ == "__main__":
    main()
