"""`python -m bench.shards [--entries N] [--out PAGE]` (`make measure-shards`): how large a range and a shard should be.

Index and Move run as workers do, in this process and on a folder in place of the bucket, for several sizes; the least of
some rounds counts. What the sizes would take and cost when deployed is reckoned from that by bench/simulate.py.
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

from bench import held
from bench.folder import Folder
from bench.manifests import write_manifest
from bench.marks import tell
from bench.simulate import Cut, distribute, ingest
from twofold.manifest import shards
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.quotas import limits
from twofold.records import Contents, Operation, OperationKind, Source
from twofold.settings import Quotas
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import CHUNK_BYTES
from twofold.workflow import carving, move
from twofold.workflow import ingest as taking_in
from twofold.workflow.orders import RANGE_LIST, SHARD_LIST, Assembly, Ranges, ShardRecord
from twofold.workflow.select import select

MIB = 1 << 20
SIZES = (4, 8, 16, 32, 64, 128)
ENTRIES, ROUNDS = 300_000, 3
RECKONED = (1_000_000, 100_000_000)
BEGIN, END = "<!-- shards: make measure-shards -->", "<!-- end of shards -->"


@dataclass(frozen=True, slots=True)
class Swept:
    """Seconds of a processor for a byte, in ranges and shards of so many MiB."""

    size: int
    index: float
    move: float

    @property
    def cut(self) -> Cut:
        return Cut(self.size * MIB, self.size * MIB, self.index, self.move)


def sweep(entries: int, sizes: Iterable[int], rounds: int) -> list[Swept]:
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(name)
        size = write_manifest(folder.made("source"), entries)
        found: dict[int, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for one in sizes:
                found.setdefault(one, []).append(_seconds(folder, one * MIB))
    return [
        Swept(one, *(min(column) / size for column in zip(*times, strict=True)))
        for one, times in found.items()
    ]


def _seconds(folder: Folder, size: int) -> tuple[float, float]:
    """Processor seconds of all Index workers and of all Move workers of a distribution."""
    with _cut_at(size):
        operation, found = _planned(folder)
        ranges = RANGE_LIST.validate_json(folder.get(found.shards.key))
        began = time.process_time()
        lines = sum(taking_in.index(folder, operation, order) for order in ranges)
        indexed = time.process_time() - began
        contents = _taken_in(folder, operation, found)
        distribution = held.distribution_of(folder, contents, groups=False)
        carve = select(folder, distribution)
        orders = SHARD_LIST.validate_json(folder.get(carve.shards.key))
        began = time.process_time()
        records = [move.move(folder, distribution, carve.source, order) for order in orders]
        moved = time.process_time() - began
    _require_whole(contents, lines, records)
    return indexed, moved


def _require_whole(contents: Contents, lines: int, records: Iterable[ShardRecord]) -> None:
    """Every line was indexed and moved once: by number and by the sum of their hashes."""
    sides = [side for record in records for side in record.sides]
    digest = sum(int(side.digest, 16) for side in sides) % DIGEST_MODULUS
    entries = sum(side.entries for side in sides)
    if not lines == entries == contents.entries or digest != int(contents.digest, 16):
        raise ValueError(f"Of {contents.entries} lines {lines} were indexed and {entries} moved.")


def _cut_at(size: int) -> ExitStack:
    """Ranges and shards of this size, however small that makes the pieces, read from the folder."""
    stack = ExitStack()
    for module, name, value in (
        (taking_in, "RANGE_BYTES", size),
        (taking_in, "stream_past", _stream_past),
        (carving, "cut", partial(shards.cut, shard_bytes=size)),
        (shards, "MIN_PART_BYTES", 1),
        (move, "stream", _stream),
    ):
        stack.enter_context(patch.object(module, name, value))
    return stack


def _planned(folder: Folder) -> tuple[Operation, Ranges]:
    source = folder.pin("source")
    operation = Operation(
        id="ingest", kind=OperationKind.CREATE, datasets=(held.TRAIN,), created=1, source=source
    )
    return operation, taking_in.order_ranges(folder, operation, source)


def _taken_in(folder: Folder, operation: Operation, found: Ranges) -> Contents:
    """The manifest has no line that is dropped, so it is its own carve."""
    carve = taking_in.resolve_pieces(folder, operation, found, limits(Quotas.TWOFOLD))
    assembly = Assembly.model_validate_json(sealed.get(folder, carve.assembly))
    (contents,) = (side.contents for side in assembly.sides if side.contents)
    manifest = folder.made(ContentsKeys(contents.folder).manifest)
    manifest.unlink(missing_ok=True)
    os.link(folder.made("source"), manifest)
    return contents.model_copy(update={"digest": assembly.digest})


def _stream(source: Source, start: int, end: int) -> Iterator[bytes]:
    """As S3's answer is read."""
    with (Path(source.bucket) / source.key).open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk


def _stream_past(source: Source, start: int, end: int) -> Iterator[bytes]:
    yield from _stream(source, start, end)
    yield from _stream(source, end, source.size)


def table(found: Iterable[Swept]) -> str:
    """Markdown."""
    heads = [f"{verb} {entries:,}" for verb in ("take in", "distribute") for entries in RECKONED]
    rows = [
        f"| MiB | Index, MB/s | Move, MB/s | {' | '.join(heads)} |",
        f"| ---: | ---: | ---: |{' ---: |' * len(heads)}",
    ]
    for one in found:
        cells = [
            f"{reckoned.seconds:,.1f} s, ${reckoned.usage.total * 1e6 / entries:.5f}"
            for work in (ingest, distribute)
            for entries in RECKONED
            for reckoned in [work(entries, cut=one.cut)]
        ]
        rows.append(
            f"| {one.size} | {1e-6 / one.index:.0f} | {1e-6 / one.move:.0f} | {' | '.join(cells)} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shards", description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, help="the page to put the table into")
    options = parser.parse_args()
    found = sweep(options.entries, SIZES, options.rounds)
    print(json.dumps([[one.size, one.index, one.move] for one in found]), file=sys.stderr)
    tell(options.out, BEGIN, END, table(found))


if __name__ == "__main__":
    main()
