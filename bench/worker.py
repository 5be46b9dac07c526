"""`python -m bench.worker METHOD` measures a splitter: for each line `[DATASET, DIVISION, SEED]` it prints a run, in JSON.

The worker imports the splitter once. Each run has a forked process of its own with at most LIMIT_SECONDS of processor time.
"""

import json
import os
import resource
import signal
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets import Dataset
from bench.divisions import DIVISIONS
from bench.methods import METHODS
from bench.objectives import (
    compute_deviations,
    compute_relative_cost,
    compute_total_deviation,
    count_groups_of_labels,
    count_labels,
)
from bench.partition import Parts
from bench.peak import get_peak_bytes

GROWTHS = (0.01, 0.10)
LIMIT_SECONDS = 60
PATIENCE_SECONDS = 5
"""Growth is measured below these seconds of processor time, and three times as much by the clock."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a splitter; deviations are in images, over parts and labels, with unlabelled entries as a label.

    `misplaced` is the number of entries to move for exact sizes, `total` Twofold's objective, `relative` splitkit's. For each
    of GROWTHS, `moved` is the share of test entries of the smaller dataset in the training set of the whole dataset, `kept` the
    same when the splitter knows the previous split; None if not measured. `seconds` is processor time.
    """

    misplaced: int
    worst: float
    mean: float
    total: float
    relative: float
    divided: int | None
    moved: tuple[float, ...] | None
    kept: tuple[float, ...] | None
    seconds: float
    peak_bytes: int


def measure(method: str, data: Dataset, division_key: str, seed: int) -> Run:
    split, keep = METHODS[method].split, METHODS[method].keep
    division = DIVISIONS[division_key]
    began, wall_began = time.process_time(), time.monotonic()
    parts = split(data, division, seed)
    seconds, wall_seconds = time.process_time() - began, time.monotonic() - wall_began
    peak = get_peak_bytes()
    counts = count_labels(data, parts, len(division.shares))
    sizes = np.bincount(parts, minlength=len(division.shares))
    deviations = compute_deviations(counts, division.shares)
    grows = division_key == "two" and max(seconds, wall_seconds / 3) < PATIENCE_SECONDS
    return Run(
        misplaced=division.count_misplaced(sizes.tolist()),
        worst=float(deviations.max()),
        mean=float(deviations.mean()),
        total=compute_total_deviation(deviations),
        relative=compute_relative_cost(
            counts, sizes, count_groups_of_labels(data), division.shares
        ),
        divided=_count_divided_groups(data, parts),
        moved=_measure_moves(method, data, seed, parts, keep=False) if grows else None,
        kept=_measure_moves(method, data, seed, parts, keep=True) if grows and keep else None,
        seconds=seconds,
        peak_bytes=peak,
    )


def _count_divided_groups(data: Dataset, parts: Parts) -> int | None:
    if data.groups is None:
        return None
    pairs = np.unique(np.stack([data.groups, parts.astype(np.uint64)]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


def _measure_moves(
    method: str, data: Dataset, seed: int, parts: Parts, *, keep: bool
) -> tuple[float, ...]:
    """The shares of test entries leaving the test set when a dataset grows to `data`, with the split `parts`."""
    return tuple(
        _measure_moved_share(method, data, seed, parts, growth, keep) for growth in GROWTHS
    )


def _measure_moved_share(
    method: str, data: Dataset, seed: int, parts: Parts, growth: float, keep: bool
) -> float:
    smaller = _select_first_entries(data, round(len(data) / (1 + growth)))
    old = METHODS[method].split(data.take(smaller), DIVISIONS["two"], seed)
    keep_split = METHODS[method].keep
    if keep and keep_split:
        previous = np.full(len(data), -1, dtype=np.int8)
        previous[smaller] = old
        parts = keep_split(data, DIVISIONS["two"], seed, previous)
    return float(((old == 1) & (parts[smaller] == 0)).sum() / max(1, (old == 1).sum()))


def _select_first_entries(data: Dataset, count: int) -> NDArray[np.int64]:
    """The first `count` entries; with groups, the entries of about as many in whole groups."""
    if data.groups is None:
        return np.arange(count)
    _, group, sizes = np.unique(data.groups, return_inverse=True, return_counts=True)
    return np.flatnonzero((np.cumsum(sizes) <= count)[group])


def run_apart(method: str, path: Path, division: str, seed: int) -> dict[str, object]:
    """Measure in a forked process. Returns a Run as a dictionary, or a `reason` why there is none."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_run, args=(sender, method, path, division, seed))
    process.start()
    sender.close()
    try:
        result: dict[str, object] = receiver.recv()
    except EOFError:
        result = {"reason": ""}
    process.join()
    if result.get("reason") == "":
        result["reason"] = _explain_exit(process.exitcode)
    return result


def _send_run(sender: Connection, method: str, path: Path, division: str, seed: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_SECONDS, LIMIT_SECONDS + 1))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a splitter may print
    try:
        sender.send(asdict(measure(method, Dataset.load(path), division, seed)))
    except Exception as error:  # the reason of a peer, whatever it raises
        sender.send({"reason": f"raises {type(error).__name__}: {error}"})


def _explain_exit(code: int | None) -> str:
    return f"not done after {LIMIT_SECONDS} s" if code == -signal.SIGXCPU else f"exit code {code}"


def main() -> None:
    warnings.simplefilter("ignore")
    (method,) = sys.argv[1:]
    import_module(METHODS[method].module)
    for line in sys.stdin:
        path, division, seed = json.loads(line)
        print(json.dumps(run_apart(method, Path(path), division, seed)), flush=True)


if __name__ == "__main__":
    main()
