"""Run the functions of `twofold split --keep-index` and time each phase."""

import resource
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from multiprocessing import forkserver
from pathlib import Path

import numpy as np

from twofold_command.indexing import read_entries
from twofold_command.pool import open_pool
from twofold_command.progress import show_progress
from twofold_command.split import SplitRequest, select_entries
from twofold_command.split_files import INDEXES, TEST, TRAIN
from twofold_command.transfer import write_indexes, write_manifests

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds of each phase, and bytes of the largest worker process.

    `split` is the time of a second split of an indexed manifest: selecting, and writing two manifests and their indexes.
    """

    index: float
    select: float
    write: float
    worker_peak: int

    @property
    def split(self) -> float:
        return self.select + self.write


def measure_phases(manifest: Path, folder: Path) -> Phases:
    request = SplitRequest(manifest, folder, Fraction(1, 5), seed=0)
    size = manifest.stat().st_size
    laps = [time.perf_counter()]
    with open_pool(size, PROCESSES) as pool, show_progress("") as step:
        entries = read_entries(manifest, size, None, pool, step)
        laps.append(time.perf_counter())
        selection = select_entries(request, entries, None)
        laps.append(time.perf_counter())
        side = selection.test_mask.astype(np.uint8)
        write_manifests(manifest, entries, side, (folder / TRAIN, folder / TEST), pool, step)
        write_indexes(folder, entries, side, INDEXES)
        laps.append(time.perf_counter())
    indexed, selected, written = (after - before for before, after in pairwise(laps))
    # Stop the parent of the workers: their resource usage is known after it has ended.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Phases(indexed, selected, written, peak)
