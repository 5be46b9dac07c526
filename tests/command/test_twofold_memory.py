"""A worker of `twofold split` holds a range or a shard at a time, however large the manifest is."""

from pathlib import Path

import numpy as np

from bench.manifests import write_manifest
from tests.peak import apart, traced
from twofold_command import indexing
from twofold_command.carving import Stretch, carve
from twofold_command.indexing import Range, index_range

RANGE = 1 << 20


def test_a_workers_peak_does_not_grow_with_the_manifest(tmp_path: Path) -> None:
    peaks = [apart(_peaks, tmp_path, entries) for entries in (3_000, 12_000)]
    for small, large in zip(*peaks, strict=True):
        assert large < 1.1 * small


def _peaks(folder: Path, entries: int) -> tuple[int, int]:
    """Of indexing the last range of a manifest, and of carving it, a quarter at a time."""
    indexing.CHUNK_BYTES = RANGE // 4
    manifest = folder / "all.manifest"
    size = write_manifest(manifest, entries)
    task = Range(manifest, size - RANGE, size, None)
    piece = index_range(task).piece
    targets = (folder / "train", folder / "test")
    for target in targets:
        target.touch()
    side = (np.arange(len(piece)) % 5 == 0).astype(np.uint8)
    stretch = Stretch(manifest, targets, (0, 0), piece.start, piece.length, side, RANGE)
    return traced(index_range, task)[1], traced(carve, stretch)[1]
