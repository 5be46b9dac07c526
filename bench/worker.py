"""`python -m bench.worker METHOD DATASET SEED` measures a splitter in a process of its own and prints a Run as JSON."""

import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.methods import FRACTION, METHODS, Mask
from bench.peak import get_peak_bytes
from twofold.split import PreviousSide

GROWTHS = (0.01, 0.10)
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a splitter; deviations are in images, over labels that occur.

    For each of GROWTHS, `moved` is the share of test entries of the smaller dataset that are in the training set of the whole
    dataset; None if the split of the whole dataset takes longer than PATIENCE_SECONDS.
    """

    size_error: int
    worst: float
    mean: float
    off_by_one: float
    divided: int | None
    moved: tuple[float | None, ...]
    seconds: float
    peak_bytes: int


def measure(method: str, data: Dataset, seed: int) -> Run:
    split = METHODS[method].split
    import_module(METHODS[method].module)
    began = time.perf_counter()
    test = split(data, seed)
    seconds = time.perf_counter() - began
    peak = get_peak_bytes()
    images = data.count_images()
    deviation = np.abs(data.count_images(test) - float(FRACTION) * images)[images > 0]
    patient = seconds < PATIENCE_SECONDS
    return Run(
        size_error=int(test.sum()) - (2 * len(data) + 5) // 10,
        worst=float(deviation.max()),
        mean=float(deviation.mean()),
        # With a tolerance, so that a deviation of exactly one image counts.
        off_by_one=float((deviation > 1 - 1e-9).mean()),
        divided=_count_divided_groups(data, test),
        moved=tuple(
            _measure_moved_share(method, data, seed, test, growth) if patient else None
            for growth in GROWTHS
        ),
        seconds=seconds,
        peak_bytes=peak,
    )


def _count_divided_groups(data: Dataset, test: Mask) -> int | None:
    if data.groups is None:
        return None
    return len(np.intersect1d(data.groups[test], data.groups[~test]))


def _measure_moved_share(method: str, data: Dataset, seed: int, test: Mask, growth: float) -> float:
    """The share of test entries that leave the test set when a dataset grows to `data`."""
    smaller = _select_first_entries(data, round(len(data) / (1 + growth)))
    old = METHODS[method].split(data.take(smaller), seed)
    keep = METHODS[method].keep
    if keep:
        previous = np.full(len(data), PreviousSide.NEW, dtype=np.uint8)
        previous[smaller] = np.where(old, PreviousSide.TEST, PreviousSide.TRAINING)
        test = keep(data, seed, previous)
    return float((old & ~test[smaller]).sum() / max(1, old.sum()))


def _select_first_entries(data: Dataset, count: int) -> NDArray[np.int64]:
    """The first `count` entries; with groups, the entries of about as many in whole groups."""
    if data.groups is None:
        return np.arange(count)
    _, group, sizes = np.unique(data.groups, return_inverse=True, return_counts=True)
    return np.flatnonzero((np.cumsum(sizes) <= count)[group])


def main() -> None:
    warnings.simplefilter("ignore")
    method, path, seed = sys.argv[1:]
    data = Dataset.load(Path(path))
    print(json.dumps(asdict(measure(method, data, int(seed)))))


if __name__ == "__main__":
    main()
