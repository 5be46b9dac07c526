"""`python -m bench shards [--entries N] [--out PAGE]`: time and cost by the size of ranges and shards.

Index and Move run as their workers do, in this process and on a folder in place of the bucket, for several sizes; the least
time of all rounds counts. bench/simulate.py estimates the time and the cost of the deployed stack from the results.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from bench import prepared_datasets
from bench.folder_bucket import FolderBucket
from bench.manifests import write_manifest
from bench.page_sections import publish_table
from bench.simulate import Cut, simulate_distribution, simulate_ingest
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.transfer import shards
from twofold.quotas import get_quotas
from twofold.records import Contents, Operation, OperationKind, SourceObject
from twofold.settings import QuotaProfile
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import CHUNK_BYTES
from twofold.workflow import index, move, plan, plan_transfer
from twofold.workflow.index import index_range
from twofold.workflow.messages import MOVE_TASKS, RANGE_TASKS, Assembly, ShardRecord, SourceRanges
from twofold.workflow.plan import write_ranges
from twofold.workflow.resolve import resolve_ranges
from twofold.workflow.select import select_entries

MIB = 1 << 20
SIZES = (4, 8, 16, 32, 64, 128)
ENTRIES, ROUNDS = 300_000, 3
SIMULATED_ENTRIES = (1_000_000, 100_000_000)
BEGIN, END = "<!-- shards: python -m bench shards -->", "<!-- end of shards -->"


@dataclass(frozen=True, slots=True)
class SizeRun:
    """Processor seconds a byte of Index and Move, in ranges and shards of `size` MiB."""

    size: int
    index: float
    move: float

    @property
    def cut(self) -> Cut:
        return Cut(self.size * MIB, self.size * MIB, self.index, self.move)


def measure_sizes(entries: int, sizes: Iterable[int], rounds: int) -> list[SizeRun]:
    with tempfile.TemporaryDirectory() as name:
        folder = FolderBucket(name)
        size = write_manifest(folder.make_parent("source"), entries)
        times_by_size: dict[int, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for mib in sizes:
                times_by_size.setdefault(mib, []).append(_measure_seconds(folder, mib * MIB))
    return [
        SizeRun(mib, *(min(column) / size for column in zip(*times, strict=True)))
        for mib, times in times_by_size.items()
    ]


def _measure_seconds(folder: FolderBucket, size: int) -> tuple[float, float]:
    """Processor seconds of all Index workers and of all Move workers of a distribution."""
    with _cut_at(size):
        operation, ranges = _plan_ingest(folder)
        range_tasks = RANGE_TASKS.validate_json(folder.get(ranges.tasks.key))
        began = time.process_time()
        lines = sum(index_range(folder, operation, order) for order in range_tasks)
        indexed = time.process_time() - began
        contents = _resolve_contents(folder, operation, ranges)
        distribution = prepared_datasets.prepare_distribution(folder, contents, groups=False)
        transfer = select_entries(folder, distribution)
        move_tasks = MOVE_TASKS.validate_json(folder.get(transfer.tasks.key))
        began = time.process_time()
        records = [
            move.transfer_shard(folder, distribution, transfer.source, order)
            for order in move_tasks
        ]
        moved = time.process_time() - began
    _require_whole(contents, lines, records)
    return indexed, moved


def _require_whole(contents: Contents, lines: int, records: Iterable[ShardRecord]) -> None:
    """Check that every line was indexed and moved once, by number and by the sum of hashes."""
    sides = [side for record in records for side in record.sides]
    digest = sum(int(side.digest, 16) for side in sides) % DIGEST_MODULUS
    entries = sum(side.entries for side in sides)
    if not lines == entries == contents.entries or digest != int(contents.digest, 16):
        raise ValueError(f"Of {contents.entries} lines {lines} were indexed and {entries} moved.")


def _cut_at(size: int) -> ExitStack:
    """Cut ranges and shards of `size` bytes, with parts of any size, and read them from the folder."""
    patches = ExitStack()
    for module, name, value in (
        (plan, "RANGE_BYTES", size),
        (index, "stream_past", _stream_past),
        (plan_transfer, "cut_shards", partial(shards.cut_shards, shard_bytes=size)),
        (shards, "MIN_PART_BYTES", 1),
        (move, "stream", _stream),
    ):
        patches.enter_context(patch.object(module, name, value))
    return patches


def _plan_ingest(folder: FolderBucket) -> tuple[Operation, SourceRanges]:
    source = folder.pin("source")
    operation = Operation(
        id="ingest",
        kind=OperationKind.CREATE,
        datasets=(prepared_datasets.TRAIN,),
        created=1,
        source=source,
    )
    return operation, write_ranges(folder, operation, source)


def _resolve_contents(folder: FolderBucket, operation: Operation, ranges: SourceRanges) -> Contents:
    """Resolve the ingest. No line is rejected, so the source itself is the manifest."""
    transfer = resolve_ranges(folder, operation, ranges, get_quotas(QuotaProfile.TWOFOLD))
    assembly = Assembly.model_validate_json(sealed.get(folder, transfer.assembly))
    (contents,) = (side.contents for side in assembly.sides if side.contents)
    manifest = folder.make_parent(ContentsKeys(contents.folder).manifest)
    manifest.unlink(missing_ok=True)
    os.link(folder.make_parent("source"), manifest)
    return contents.model_copy(update={"digest": assembly.digest})


def _stream(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    """Yield chunks as from S3."""
    with (Path(source.bucket) / source.key).open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk


def _stream_past(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    yield from _stream(source, start, end)
    yield from _stream(source, end, source.size)


def render_table(runs: Iterable[SizeRun]) -> str:
    """The runs as a Markdown table."""
    heads = [
        f"{verb} {entries:,}" for verb in ("take in", "distribute") for entries in SIMULATED_ENTRIES
    ]
    rows = [
        f"| MiB | Index, MB/s | Move, MB/s | {' | '.join(heads)} |",
        f"| ---: | ---: | ---: |{' ---: |' * len(heads)}",
    ]
    for run in runs:
        cells = [
            f"{job.seconds:,.1f} s, ${job.usage.total * 1e6 / entries:.5f}"
            for work in (simulate_ingest, simulate_distribution)
            for entries in SIMULATED_ENTRIES
            for job in [work(entries, cut=run.cut)]
        ]
        rows.append(
            f"| {run.size} | {1e-6 / run.index:.0f} | {1e-6 / run.move:.0f} | {' | '.join(cells)} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench shards", description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, help="the page to put the table into")
    options = parser.parse_args()
    runs = measure_sizes(options.entries, SIZES, options.rounds)
    print(json.dumps([[run.size, run.index, run.move] for run in runs]), file=sys.stderr)
    publish_table(options.out, BEGIN, END, render_table(runs))


if __name__ == "__main__":
    main()
