"""`python -m bench.simulate` (`make simulate`): what the deployed stack would need for more entries than can be tried here.

A model with few parts: what functions take for a byte and for an entry, measured on one machine by `make measure`; how a
Lambda and S3 differ from it (bench/usage.py); and the counts of calls that tests/test_a_quota_size_job.py holds exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from bench import limits
from bench.limits import first_to_bind
from bench.usage import CALL_SECONDS, S3_BYTES_PER_SECOND, Usage
from twofold.manifest.shards import MAX_PARTS, SHARD_BYTES
from twofold.settings import SOLVER_MEMORY_MB, Function
from twofold.workflow.ingest import MAX_RANGES, RANGE_BYTES
from twofold.workflow.room import BASE_BYTES, BYTES_PER_ENTRY

MEASURED = "2026-11-25, 2 cores of a virtual machine (x86-64), Python 3.11"
LINE_BYTES = 600
INDEX_SECONDS_PER_BYTE = 2.6e-8
MOVE_SECONDS_PER_BYTE = 3.0e-9
RESOLVE_SECONDS_PER_ENTRY = 0.7e-6
SELECT_SECONDS_PER_ENTRY = 1.3e-6

INDEX_BYTES_PER_ENTRY = 24
PLAN_BYTES_PER_ENTRY = 13
CONCURRENCY = 40
STATE_SECONDS = 0.1
"""Of Step Functions, between two functions."""
READ_AT_ONCE = 16
SIZES = tuple(10**power for power in range(5, 10))


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


def ingest(entries: int) -> Simulated:
    size = entries * LINE_BYTES
    ranges, shards = _ranges(size), _shards(size)
    index, move = INDEX_SECONDS_PER_BYTE * size, MOVE_SECONDS_PER_BYTE * size
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
        writes=10 + ranges + 2 * shards,
        reads=8 + 2 * ranges + 3 * shards,
        moved=3 * size + planned,
        states=6,
    )
    return Simulated(entries, max(ranges, shards), seconds, _memory(entries), usage)


def distribute(entries: int) -> Simulated:
    size = entries * LINE_BYTES
    shards = _shards(size)
    move, select = MOVE_SECONDS_PER_BYTE * size, SELECT_SECONDS_PER_ENTRY * entries
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
        writes=12 + 3 * shards,
        reads=25 + 3 * shards,
        moved=2 * size + planned,
        states=6,
    )
    return Simulated(entries, shards, seconds, _memory(entries), usage)


def _ranges(size: int) -> int:
    return ceil(size / max(RANGE_BYTES, size // MAX_RANGES))


def _shards(size: int) -> int:
    return max(1, round(size / max(SHARD_BYTES, -(-size // (MAX_PARTS // 2)))))


def _spread(seconds: float, workers: int) -> float:
    """Of work that so many workers share, CONCURRENCY at a time."""
    return ceil(workers / CONCURRENCY) * (seconds / workers + 5 * CALL_SECONDS)


def _publish(shards: int) -> float:
    return (shards / READ_AT_ONCE + 12) * CALL_SECONDS


def _memory(entries: int) -> float:
    return (BASE_BYTES + entries * BYTES_PER_ENTRY) / (1 << 20)


def _usage(
    shared: dict[Function, int],
    cpu: dict[Function, float],
    *,
    once: dict[Function, int],
    writes: int,
    reads: int,
    moved: int,
    states: int,
) -> Usage:
    children = sum(shared.values())
    return Usage(
        api_requests=1,
        s3_writes=writes,
        s3_reads=reads,
        s3_bytes=moved,
        read_units=3,
        write_units=22,
        transitions=states,
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


def _time(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"


def main() -> None:
    print(f"Calibrated {MEASURED}; lines of {LINE_BYTES} bytes.\n")
    print(table())
    print(f"\n{limits.table()}")


if __name__ == "__main__":
    main()
