"""`python -m bench.worker METHOD DATASET SEED` measures one splitter in a process of its own and prints a Run as JSON."""

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
from bench.peak import peak_bytes
from twofold.split import Previously

GROWTHS = (0.01, 0.10)
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Run:
    """`moved` is, for each of GROWTHS, the share of the smaller dataset's test entries that the whole one does not test; None
    where the whole one took longer than PATIENCE_SECONDS. Deviations are in images, over labels that occur."""

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
    peak = peak_bytes()
    images = data.images()
    deviation = np.abs(data.images(test) - float(FRACTION) * images)[images > 0]
    patient = seconds < PATIENCE_SECONDS
    return Run(
        size_error=int(test.sum()) - (2 * len(data) + 5) // 10,
        worst=float(deviation.max()),
        mean=float(deviation.mean()),
        # A deviation of exactly one image must count in spite of floating point.
        off_by_one=float((deviation > 1 - 1e-9).mean()),
        divided=_divided(data, test),
        moved=tuple(
            _moved(method, data, seed, test, growth) if patient else None for growth in GROWTHS
        ),
        seconds=seconds,
        peak_bytes=peak,
    )


def _divided(data: Dataset, test: Mask) -> int | None:
    if data.groups is None:
        return None
    return len(np.intersect1d(data.groups[test], data.groups[~test]))


def _moved(method: str, data: Dataset, seed: int, test: Mask, growth: float) -> float:
    """How many of the test entries of a dataset leave the test side when it has grown to `data`."""
    kept = _before(data, round(len(data) / (1 + growth)))
    old = METHODS[method].split(data.take(kept), seed)
    keep = METHODS[method].keep
    if keep:
        previous = np.full(len(data), Previously.NEW, dtype=np.uint8)
        previous[kept] = np.where(old, Previously.TESTED, Previously.TRAINED)
        test = keep(data, seed, previous)
    return float((old & ~test[kept]).sum() / max(1, old.sum()))


def _before(data: Dataset, count: int) -> NDArray[np.int64]:
    """The first `count` entries; where there are groups, entries of whole groups, about as many."""
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
