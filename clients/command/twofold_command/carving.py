"""Writing both manifests: each shard of the source side by side, every line straight to its place."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.carve import DIGEST_MODULUS, Carving, Tally
from twofold.manifest.resolve import KEPT
from twofold.manifest.shards import Shard, cut
from twofold_command.errors import CommandError
from twofold_command.indexing import Entries, read_from
from twofold_command.outputs import INDEXES
from twofold_command.pool import Pool
from twofold_command.progress import Progress


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines of one shard, and where what it writes begins in each of the targets."""

    source: Path
    targets: tuple[Path, ...]
    offsets: tuple[int, ...]
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    span: int


def write_manifests(
    source: Path,
    entries: Entries,
    test: NDArray[np.bool_],
    targets: tuple[Path, Path],
    pool: Pool,
    progress: Progress,
) -> tuple[Tally, Tally]:
    """What went to (train, test). Raises CommandError unless it is all that was read, once."""
    for target in targets:
        target.touch()
    tasks = list(_stretches(source, entries, test, targets))
    totals, placed = (Tally(), Tally()), 0
    try:
        for task, (tallies, part) in zip(tasks, pool.map(carve, tasks), strict=True):
            placed = (placed + part) % DIGEST_MODULUS
            for total, tally in zip(totals, tallies, strict=True):
                total.entries += tally.entries
                total.bytes += tally.bytes
                total.digest = (total.digest + tally.digest) % DIGEST_MODULUS
            progress.advance(task.span)
    except DamagedObjectError as error:
        raise CommandError(f"{source} changed while it was read.") from error
    if placed != entries.placed:
        raise CommandError(f"{source} changed while it was read.")
    return totals


def write_indexes(folder: Path, entries: Entries, test: NDArray[np.bool_]) -> None:
    """The indexes of both manifests, as the service would keep them."""
    for name, chosen in zip(INDEXES, (~test, test), strict=True):
        (folder / name).write_bytes(entries.resolution.index.take(chosen).encode())


def carve(task: Stretch) -> tuple[list[Tally], int]:
    """In a worker process: the lines of a stretch, written to their places. Also returns their `placed_digest`."""
    with ExitStack() as files:
        written = [files.enter_context(target.open("r+b")) for target in task.targets]
        for file, offset in zip(written, task.offsets, strict=True):
            file.seek(offset)
        carving = Carving(task.start, task.length, task.side, len(written))

        def write(side: int, data: bytes) -> None:
            written[side].write(data)

        chunks = read_from(task.source, int(task.start[0]), task.span)
        return carving.run(chunks, write), carving.placed


def _stretches(
    source: Path, entries: Entries, test: NDArray[np.bool_], targets: tuple[Path, Path]
) -> Iterator[Stretch]:
    kept = entries.resolution.side == KEPT
    start, length = entries.resolution.start[kept], entries.resolution.length[kept]
    side = test.astype(np.uint8)
    shards = cut(start, length, side, len(targets))
    offsets = zip(*(_offsets(shards, number) for number in range(len(targets))), strict=True)
    for shard, places in zip(shards, offsets, strict=True):
        lines = slice(shard.first, shard.last)
        span = shard.end - shard.start
        yield Stretch(source, targets, places, start[lines], length[lines], side[lines], span)


def _offsets(shards: list[Shard], side: int) -> list[int]:
    """Where in the target each shard's piece begins."""
    return [0, *accumulate(shard.bytes_of[side] for shard in shards)][:-1]
