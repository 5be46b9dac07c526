"""`python -m bench.simulate` (`make simulate`): what the deployed stack would need for more entries than can be tried here.

A model with few parts: what functions take for a byte and for an entry, measured on one machine (bench/calibrated.py); how
a Lambda and S3 differ from it (bench/usage.py); and the counts of calls (bench/counts.py), which tests hold exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from bench import limits, throttling
from bench.calibrated import (
    INDEX_SECONDS_PER_BYTE,
    MEASURED,
    MOVE_SECONDS_PER_BYTE,
    RESOLVE_SECONDS_PER_ENTRY,
    SELECT_SECONDS_PER_ENTRY,
)
from bench.counts import OF_A_RANGE, OF_A_SHARD, OF_A_SHARD_IN_TWO, reads, writes
from bench.limits import first_to_bind
from bench.usage import CALL_SECONDS, S3_BYTES_PER_SECOND, Usage
from twofold.manifest.shards import MAX_PARTS, SHARD_BYTES
from twofold.settings import SOLVER_MEMORY_MB, Function
from twofold.workflow.ingest import MAX_RANGES, RANGE_BYTES
from twofold.workflow.room import BASE_BYTES, USUAL_BOX_COUNTS, Load

LINE_BYTES = 600
INDEX_BYTES_PER_ENTRY = 24
PLAN_BYTES_PER_ENTRY = 13
CONCURRENCY = 40
STATE_SECONDS = 0.1
"""Of Step Functions, between two functions."""
READ_AT_ONCE = 16
SIZES = tuple(10**power for power in range(5, 10))
COST_SIZES = (250_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a manifest is cut, and what functions then take of a processor for a byte: as it is deployed, or otherwise."""

    range_bytes: int = RANGE_BYTES
    shard_bytes: int = SHARD_BYTES
    index: float = INDEX_SECONDS_PER_BYTE
    move: float = MOVE_SECONDS_PER_BYTE

    def ranges(self, size: int) -> int:
        return ceil(size / max(self.range_bytes, size // MAX_RANGES))

    def shards(self, size: int) -> int:
        return max(1, round(size / max(self.shard_bytes, -(-size // (MAX_PARTS // 2)))))


AS_DEPLOYED = Cut()


@dataclass(frozen=True, slots=True)
class Simulated:
    """`memory_mb` is that of Resolve or Select."""

    entries: int
    workers: int
    seconds: float
    memory_mb: float
    usage: Usage

    @property
    def concurrency(self) -> int:
        return min(CONCURRENCY, self.workers)


def ingest(entries: int, line_bytes: float = LINE_BYTES, cut: Cut = AS_DEPLOYED) -> Simulated:
    size = round(entries * line_bytes)
    ranges, shards = cut.ranges(size), cut.shards(size)
    index, move = cut.index * size, cut.move * size
    resolve = RESOLVE_SECONDS_PER_ENTRY * entries
    planned = entries * (2 * INDEX_BYTES_PER_ENTRY + PLAN_BYTES_PER_ENTRY)
    seconds = (
        6 * STATE_SECONDS
        + _spread(index + size / S3_BYTES_PER_SECOND, ranges)
        + resolve
        + planned / S3_BYTES_PER_SECOND
        + _spread(move + 2 * size / S3_BYTES_PER_SECOND, shards)
        + _publish(shards)
    )
    usage = _usage(
        {Function.INDEX: ranges, Function.MOVE: shards},
        {Function.INDEX: index, Function.MOVE: move, Function.RESOLVE: resolve},
        once={Function.API: 1, Function.PLAN: 1, Function.RESOLVE: 1, Function.PUBLISH: 1},
        writes=7 + ranges * writes(OF_A_RANGE) + shards * writes(OF_A_SHARD),
        reads=5 + ranges * reads(OF_A_RANGE) + shards * reads(OF_A_SHARD),
        moved=3 * size + planned,
        units=(2, 16),
    )
    return Simulated(entries, max(ranges, shards), seconds, _memory(entries), usage)


def distribute(entries: int, line_bytes: float = LINE_BYTES, cut: Cut = AS_DEPLOYED) -> Simulated:
    size = round(entries * line_bytes)
    shards = cut.shards(size)
    move, select = cut.move * size, SELECT_SECONDS_PER_ENTRY * entries
    planned = entries * (2 * INDEX_BYTES_PER_ENTRY + PLAN_BYTES_PER_ENTRY)
    seconds = (
        5 * STATE_SECONDS
        + select
        + planned / S3_BYTES_PER_SECOND
        + _spread(move + 2 * size / S3_BYTES_PER_SECOND, shards)
        + _publish(shards)
    )
    usage = _usage(
        {Function.MOVE: shards},
        {Function.MOVE: move, Function.SELECT: select},
        once={Function.API: 1, Function.SELECT: 1, Function.PUBLISH: 1},
        writes=12 + shards * writes(OF_A_SHARD_IN_TWO),
        reads=25 + shards * reads(OF_A_SHARD_IN_TWO),
        moved=2 * size + planned,
        units=(3, 22),
    )
    return Simulated(entries, shards, seconds, _memory(entries), usage)


def _spread(seconds: float, workers: int) -> float:
    """Of work that so many workers share, CONCURRENCY at a time."""
    return ceil(workers / CONCURRENCY) * (seconds / workers + 5 * CALL_SECONDS)


def _publish(shards: int) -> float:
    return (shards / READ_AT_ONCE + 12) * CALL_SECONDS


def _memory(entries: int) -> float:
    load = Load(entries, box_counts=USUAL_BOX_COUNTS * entries)
    return (BASE_BYTES + load.bytes) / (1 << 20)


def _usage(
    shared: dict[Function, int],
    cpu: dict[Function, float],
    *,
    once: dict[Function, int],
    writes: int,
    reads: int,
    moved: int,
    units: tuple[int, int],
) -> Usage:
    """`units` that DynamoDB reads and writes."""
    children = sum(shared.values())
    return Usage(
        api_requests=1,
        s3_writes=writes,
        s3_reads=reads,
        s3_bytes=moved,
        read_units=units[0],
        write_units=units[1],
        transitions=6,
        events=1,
        children=children,
        invocations={**once, **shared},
        cpu_seconds=cpu,
        calls=writes + reads + 8,
    )


def table(sizes: Iterable[int] = SIZES) -> str:
    """Markdown."""
    lines = [
        "| entries | manifest | ingest | distribute | at once | Select | ingest costs | distribute costs | breaks |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for entries in sizes:
        one, other = ingest(entries), distribute(entries)
        broken = first_to_bind(entries, SOLVER_MEMORY_MB)
        size = entries * LINE_BYTES / 1e9
        lines.append(
            f"| {entries:,} | {size:,.2f} GB | {_time(one.seconds)} | {_time(other.seconds)} | {other.concurrency} "
            f"| {other.memory_mb:,.0f} MB | ${one.usage.total:,.4f} | ${other.usage.total:,.4f} | {broken} |"
        )
    return "\n".join(lines)


def cost_table(sizes: Iterable[int] = COST_SIZES) -> str:
    """Markdown: dollars by service."""
    works = [(work, size) for size in sizes for work in (distribute, ingest)]
    heads = [f"{_VERBS[work]} {size:,}" for work, size in works]
    dollars = [work(size).usage.dollars() for work, size in works]
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(works)]
    for service in dollars[0]:
        lines.append(
            f"| {service} | " + " | ".join(f"${one[service]:.6f}" for one in dollars) + " |"
        )
    sums = " | ".join(f"**${sum(one.values()):.5f}**" for one in dollars)
    return "\n".join([*lines, f"| **all** | {sums} |"])


_VERBS = {ingest: "take in", distribute: "distribute"}


def _time(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"


def main() -> None:
    print(f"Calibrated {MEASURED}; lines of {LINE_BYTES} bytes.\n")
    print(table())
    print(f"\n{limits.table()}\n\n{cost_table()}\n\n{throttling.table()}")


if __name__ == "__main__":
    main()
