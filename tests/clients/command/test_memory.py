"""The memory of a worker of `twofold split` does not depend on the size of the manifest."""

from pathlib import Path

import numpy as np

from bench.manifests import write_manifest
from tests.support.peak_memory import run_in_process, trace_peak
from twofold_command import indexing
from twofold_command.indexing import RangeTask, index_range
from twofold_command.transfer import ShardTask, transfer_shard

RANGE = 1 << 20


def test_a_workers_peak_does_not_grow_with_the_manifest(tmp_path: Path) -> None:
    peaks = [run_in_process(_measure_peaks, tmp_path, entries) for entries in (3_000, 12_000)]
    for small, large in zip(*peaks, strict=True):
        assert large < 1.1 * small


def _measure_peaks(folder: Path, entries: int) -> tuple[int, int]:
    """Returns the peak bytes of indexing the last range of a manifest, and of transferring the range as a shard."""
    indexing.CHUNK_BYTES = RANGE // 4
    manifest = folder / "all.manifest"
    size = write_manifest(manifest, entries)
    task = RangeTask(manifest, size - RANGE, size, None)
    range_index = index_range(task).index
    targets = (folder / "train", folder / "test")
    for target in targets:
        target.touch()
    side = (np.arange(len(range_index)) % 5 == 0).astype(np.uint8)
    shard = ShardTask(manifest, targets, (0, 0), range_index.start, range_index.length, side, RANGE)
    return trace_peak(index_range, task)[1], trace_peak(transfer_shard, shard)[1]
