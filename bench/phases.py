"""The work of `twofold split --keep-index`, with times: it calls what the command calls."""

import resource
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from multiprocessing import forkserver
from pathlib import Path

from twofold_command.carving import write_indexes, write_manifests
from twofold_command.indexing import read_entries
from twofold_command.outputs import TEST, TRAIN
from twofold_command.pool import pool_for
from twofold_command.progress import progress
from twofold_command.split import Request, select

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds, and bytes of the largest worker process. `split` is what remains for a second split of a manifest whose index
    is at hand: selecting, and writing two manifests and their indexes.
    """

    index: float
    select: float
    write: float
    worker_peak: int

    @property
    def split(self) -> float:
        return self.select + self.write


def work(manifest: Path, folder: Path) -> Phases:
    request = Request(manifest, folder, Fraction(1, 5), seed=0)
    size = manifest.stat().st_size
    laps = [time.perf_counter()]
    with pool_for(size, PROCESSES) as pool, progress("") as step:
        entries = read_entries(manifest, size, None, pool, step)
        laps.append(time.perf_counter())
        selection = select(request, entries, None)
        laps.append(time.perf_counter())
        write_manifests(
            manifest, entries, selection.test, (folder / TRAIN, folder / TEST), pool, step
        )
        write_indexes(folder, entries, selection.test)
        laps.append(time.perf_counter())
    indexed, selected, written = (after - before for before, after in pairwise(laps))
    # The workers' parent; what they took is known when it has ended.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Phases(indexed, selected, written, peak)
