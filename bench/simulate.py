"""`python -m bench simulate`: time, memory and cost of the deployed stack for large datasets.

The model has three parts: processor time a byte and an entry, measured on one machine (bench/calibration.py); the speed of
Lambda and S3 (bench/usage.py); and the counts of calls (bench/counts.py), which tests compare with recorded runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from bench import limits, throttling
from bench.calibration import (
    INDEX_SECONDS_PER_BYTE,
    MEASURED,
    MOVE_SECONDS_PER_BYTE,
    RESOLVE_SECONDS_PER_ENTRY,
    SELECT_SECONDS_PER_ENTRY,
)
from bench.counts import (
    DISTRIBUTED_SHARD_CALLS,
    RANGE_CALLS,
    SHARD_CALLS,
    count_reads,
    count_writes,
)
from bench.limits import describe_first_limit
from bench.usage import CALL_SECONDS, S3_BYTES_PER_SECOND, Usage
from twofold.manifest.transfer.shards import MAX_PARTS, SHARD_BYTES
from twofold.settings import SOLVER_MEMORY_MB, Function
from twofold.workflow.memory import BASE_BYTES, USUAL_BOX_COUNTS, MemoryEstimate
from twofold.workflow.plan import MAX_RANGES, RANGE_BYTES

LINE_BYTES = 600
INDEX_BYTES_PER_ENTRY = 24
PLAN_BYTES_PER_ENTRY = 13
CONCURRENCY = 40
STATE_SECONDS = 0.1
"""Seconds of Step Functions between two functions."""
READ_AT_ONCE = 16
SIZES = tuple(10**power for power in range(5, 10))
COST_SIZES = (250_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Cut:
    """The sizes of ranges and shards, and the processor seconds a byte of Index and Move; as deployed by default."""

    range_bytes: int = RANGE_BYTES
    shard_bytes: int = SHARD_BYTES
    index: float = INDEX_SECONDS_PER_BYTE
    move: float = MOVE_SECONDS_PER_BYTE

    def count_ranges(self, size: int) -> int:
        return ceil(size / max(self.range_bytes, size // MAX_RANGES))

    def count_shards(self, size: int) -> int:
        return max(1, round(size / max(self.shard_bytes, -(-size // (MAX_PARTS // 2)))))


AS_DEPLOYED = Cut()


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """A simulated job; `memory_mb` is the memory of Resolve or Select."""

    entries: int
    workers: int
    seconds: float
    memory_mb: float
    usage: Usage

    @property
    def concurrency(self) -> int:
        return min(CONCURRENCY, self.workers)


def simulate_ingest(
    entries: int, line_bytes: float = LINE_BYTES, cut: Cut = AS_DEPLOYED
) -> SimulatedJob:
    size = round(entries * line_bytes)
    ranges, shards = cut.count_ranges(size), cut.count_shards(size)
    index, move = cut.index * size, cut.move * size
    resolve = RESOLVE_SECONDS_PER_ENTRY * entries
    planned = entries * (2 * INDEX_BYTES_PER_ENTRY + PLAN_BYTES_PER_ENTRY)
    seconds = (
        6 * STATE_SECONDS
        + _estimate_shared_seconds(index + size / S3_BYTES_PER_SECOND, ranges)
        + resolve
        + planned / S3_BYTES_PER_SECOND
        + _estimate_shared_seconds(move + 2 * size / S3_BYTES_PER_SECOND, shards)
        + _estimate_publish_seconds(shards)
    )
    usage = _make_usage(
        {Function.INDEX: ranges, Function.MOVE: shards},
        {Function.INDEX: index, Function.MOVE: move, Function.RESOLVE: resolve},
        once={Function.API: 1, Function.PLAN: 1, Function.RESOLVE: 1, Function.PUBLISH: 1},
        writes=7 + ranges * count_writes(RANGE_CALLS) + shards * count_writes(SHARD_CALLS),
        reads=5 + ranges * count_reads(RANGE_CALLS) + shards * count_reads(SHARD_CALLS),
        moved=3 * size + planned,
        units=(2, 16),
    )
    return SimulatedJob(entries, max(ranges, shards), seconds, _estimate_memory_mb(entries), usage)


def simulate_distribution(
    entries: int, line_bytes: float = LINE_BYTES, cut: Cut = AS_DEPLOYED
) -> SimulatedJob:
    size = round(entries * line_bytes)
    shards = cut.count_shards(size)
    move, select = cut.move * size, SELECT_SECONDS_PER_ENTRY * entries
    planned = entries * (2 * INDEX_BYTES_PER_ENTRY + PLAN_BYTES_PER_ENTRY)
    seconds = (
        5 * STATE_SECONDS
        + select
        + planned / S3_BYTES_PER_SECOND
        + _estimate_shared_seconds(move + 2 * size / S3_BYTES_PER_SECOND, shards)
        + _estimate_publish_seconds(shards)
    )
    usage = _make_usage(
        {Function.MOVE: shards},
        {Function.MOVE: move, Function.SELECT: select},
        once={Function.API: 1, Function.SELECT: 1, Function.PUBLISH: 1},
        writes=12 + shards * count_writes(DISTRIBUTED_SHARD_CALLS),
        reads=25 + shards * count_reads(DISTRIBUTED_SHARD_CALLS),
        moved=2 * size + planned,
        units=(3, 22),
    )
    return SimulatedJob(entries, shards, seconds, _estimate_memory_mb(entries), usage)


def _estimate_shared_seconds(seconds: float, workers: int) -> float:
    """The duration of work that `workers` share, CONCURRENCY at a time."""
    return ceil(workers / CONCURRENCY) * (seconds / workers + 5 * CALL_SECONDS)


def _estimate_publish_seconds(shards: int) -> float:
    return (shards / READ_AT_ONCE + 12) * CALL_SECONDS


def _estimate_memory_mb(entries: int) -> float:
    load = MemoryEstimate(entries, box_counts=USUAL_BOX_COUNTS * entries)
    return (BASE_BYTES + load.bytes) / (1 << 20)


def _make_usage(
    shared: dict[Function, int],
    cpu: dict[Function, float],
    *,
    once: dict[Function, int],
    writes: int,
    reads: int,
    moved: int,
    units: tuple[int, int],
) -> Usage:
    """Build the usage; `units` are the read and write units of DynamoDB."""
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


def render_table(sizes: Iterable[int] = SIZES) -> str:
    """Jobs of different sizes as a Markdown table."""
    lines = [
        "| entries | manifest | ingest | distribute | workers | Select | ingest costs | distribute costs | first limit |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for entries in sizes:
        ingest, distribution = simulate_ingest(entries), simulate_distribution(entries)
        broken = describe_first_limit(entries, SOLVER_MEMORY_MB)
        size = entries * LINE_BYTES / 1e9
        lines.append(
            f"| {entries:,} | {size:,.2f} GB | {_format_time(ingest.seconds)} | {_format_time(distribution.seconds)} "
            f"| {distribution.concurrency} | {distribution.memory_mb:,.0f} MB "
            f"| ${ingest.usage.total:,.4f} | ${distribution.usage.total:,.4f} | {broken} |"
        )
    return "\n".join(lines)


def render_cost_table(sizes: Iterable[int] = COST_SIZES) -> str:
    """Dollars by service as a Markdown table."""
    works = [(work, size) for size in sizes for work in (simulate_distribution, simulate_ingest)]
    heads = [f"{_VERBS[work]} {size:,}" for work, size in works]
    dollars = [work(size).usage.compute_costs() for work, size in works]
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(works)]
    for service in dollars[0]:
        lines.append(
            f"| {service} | " + " | ".join(f"${costs[service]:.6f}" for costs in dollars) + " |"
        )
    sums = " | ".join(f"**${sum(costs.values()):.5f}**" for costs in dollars)
    return "\n".join([*lines, f"| **all** | {sums} |"])


_VERBS = {simulate_ingest: "take in", simulate_distribution: "distribute"}


def _format_time(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"


def main() -> None:
    print(f"Calibrated {MEASURED}; lines of {LINE_BYTES} bytes.\n")
    print(render_table())
    print(f"\n{limits.render_table()}\n\n{render_cost_table()}\n\n{throttling.render_table()}")


if __name__ == "__main__":
    main()
