"""Write the manifests: workers transfer the shards of the source in parallel, each to fixed byte offsets in the targets."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.index.resolve import KEPT
from twofold.manifest.transfer.shard_transfer import ShardTransfer, SideTotals
from twofold.manifest.transfer.shards import Shard, cut_shards
from twofold_command.errors import CommandError
from twofold_command.indexing import ManifestEntries, read_chunks
from twofold_command.pool import WorkerPool
from twofold_command.progress import ProgressBar


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The lines of one shard: `start`, `length` and `side` have an item per line, `offsets` has an item per target file."""

    source: Path
    targets: tuple[Path, ...]
    offsets: tuple[int, ...]
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    span: int


def write_manifests(
    source: Path,
    entries: ManifestEntries,
    side: NDArray[np.uint8],
    targets: tuple[Path, ...],
    pool: WorkerPool,
    progress: ProgressBar,
) -> list[SideTotals]:
    """Writes the manifests and returns the totals of each. `side` has the number of each entry's target.

    Raises CommandError unless every entry that was read is written exactly once.
    """
    for target in targets:
        target.touch()
    tasks = list(_make_shard_tasks(source, entries, side, targets))
    totals, entry_digest = [SideTotals() for _ in targets], 0
    try:
        for task, (shard_totals, shard_digest) in zip(
            tasks, pool.map(transfer_shard, tasks), strict=True
        ):
            entry_digest = (entry_digest + shard_digest) % DIGEST_MODULUS
            for total, shard_total in zip(totals, shard_totals, strict=True):
                total.entries += shard_total.entries
                total.bytes += shard_total.bytes
                total.digest = (total.digest + shard_total.digest) % DIGEST_MODULUS
            progress.advance(task.span)
    except DamagedObjectError as error:
        raise CommandError(f"{source} changed while it was read.") from error
    # Position-dependent hashes differ if lines have changed their places since they were indexed.
    if entry_digest != entries.entry_digest:
        raise CommandError(f"{source} changed while it was read.")
    return totals


def write_indexes(
    folder: Path, entries: ManifestEntries, side: NDArray[np.uint8], names: Sequence[str]
) -> None:
    """Writes the indexes of all manifests in the format of the service."""
    for number, name in enumerate(names):
        index = entries.resolution.index.take_entries(side == number)
        (folder / name).write_bytes(index.encode())


def transfer_shard(task: ShardTask) -> tuple[list[SideTotals], int]:
    """Runs in a worker process: writes the lines of a shard to the targets. Returns the totals per target and the sum of the
    position-dependent line hashes."""
    with ExitStack() as files:
        target_files = [files.enter_context(target.open("r+b")) for target in task.targets]
        for file, offset in zip(target_files, task.offsets, strict=True):
            file.seek(offset)
        transfer = ShardTransfer(task.start, task.length, task.side, len(target_files))

        def write(side: int, data: bytes) -> None:
            target_files[side].write(data)

        chunks = read_chunks(task.source, int(task.start[0]), task.span)
        return transfer.run(chunks, write), transfer.placed_digest


def _make_shard_tasks(
    source: Path, entries: ManifestEntries, side: NDArray[np.uint8], targets: tuple[Path, ...]
) -> Iterator[ShardTask]:
    # `start`, `length` and `side` have an item per entry; a shard is a slice of consecutive entries.
    kept_mask = entries.resolution.side == KEPT
    start, length = entries.resolution.start[kept_mask], entries.resolution.length[kept_mask]
    shards = cut_shards(start, length, side, len(targets))
    # From one list per target to one tuple of offsets per shard.
    offsets = zip(
        *(_compute_offsets(shards, number) for number in range(len(targets))), strict=True
    )
    for shard, shard_offsets in zip(shards, offsets, strict=True):
        lines = slice(shard.first, shard.last)
        span = shard.end - shard.start
        yield ShardTask(
            source, targets, shard_offsets, start[lines], length[lines], side[lines], span
        )


def _compute_offsets(shards: list[Shard], side: int) -> list[int]:
    """Returns the byte offset of each shard in the target of `side`: the sum of the bytes of the earlier shards."""
    return [0, *accumulate(shard.side_bytes[side] for shard in shards)][:-1]
