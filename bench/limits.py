"""The limits that could bind a job: at how many entries each would, and what lifts it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from bench.calibrated import SELECT_SECONDS_PER_ENTRY
from bench.usage import S3_BYTES_PER_SECOND
from twofold.manifest.shards import MAX_PARTS, SHARD_BYTES
from twofold.quotas import limits
from twofold.settings import SOLVER_MEMORY_MB, TIMEOUT_SECONDS, Function, Quotas
from twofold.workflow.room import entries_in

LINE_BYTES = 600
INDEX_BYTES = 24
STATE_BYTES, EVENTS = 256 << 10, 25_000
LARGEST_PAYLOAD, USUAL_EVENTS = 8_000, 60
"""A test holds payloads below the one; the history of a distribution has 22 events, that of an ingest about 40."""
MAX_PUT_BYTES, MAX_OBJECT_BYTES = 5 << 30, 5 << 40
MAX_CHILDREN, CONCURRENCY = 10_000, 40


@dataclass(frozen=True, slots=True)
class Limit:
    """`entries` is infinite where nothing that grows with the dataset comes near the limit."""

    name: str
    binds: str
    entries: float
    lifted: str


def all_limits(solver_memory_mb: int) -> Iterator[Limit]:
    """For lines of LINE_BYTES."""
    quotas = limits(Quotas.TWOFOLD)
    yield Limit(
        f"{solver_memory_mb:,} MB of memory",
        "Resolve, Select and Merge hold a whole index",
        entries_in(solver_memory_mb),
        f"the option solver_memory_mb, to {entries_in(10_240):,} at Lambda's most; then an index in several parts",
    )
    yield Limit(
        f"{quotas.manifest_lines:,} entries",
        "Twofold's own quota",
        quotas.manifest_lines,
        "a number in twofold/quotas.py",
    )
    yield Limit(
        f"{quotas.manifest_bytes >> 30:,} GiB of manifest",
        "Twofold's own quota",
        quotas.manifest_bytes // LINE_BYTES,
        "a number in twofold/quotas.py",
    )
    yield Limit(
        "5 GiB in one PutObject",
        "the index object",
        MAX_PUT_BYTES // INDEX_BYTES,
        "writing the index in parts",
    )
    yield Limit(
        "15 minutes of a function",
        "Select reads an index, chooses, and writes two",
        _in_time(TIMEOUT_SECONDS[Function.SELECT]),
        "choosing by label sets, whose number does not grow, in a worker for each range",
    )
    yield Limit(
        f"{TIMEOUT_SECONDS[Function.MOVE]} s of a Move worker",
        f"shards grow beyond {SHARD_BYTES >> 20} MiB where there would be more than {MAX_PARTS // 2:,}",
        (MAX_PARTS // 2) * TIMEOUT_SECONDS[Function.MOVE] * S3_BYTES_PER_SECOND / 2 // LINE_BYTES,
        "a longer time limit, up to 900 s",
    )
    yield Limit("5 TiB in an object", "the manifest", MAX_OBJECT_BYTES // LINE_BYTES, "nothing")
    yield from _never()


def _never() -> Iterator[Limit]:
    none = "nothing needs to"
    yield Limit(
        f"{STATE_BYTES >> 10} KiB between states",
        f"at most {LARGEST_PAYLOAD:,} bytes, whatever the dataset: lists lie in S3",
        inf,
        none,
    )
    yield Limit(
        f"{EVENTS:,} events of an execution",
        f"at most {USUAL_EVENTS}: children have histories of their own",
        inf,
        none,
    )
    yield Limit(
        f"{MAX_CHILDREN:,} children at once",
        f"MaxConcurrency is {CONCURRENCY}, and there are {MAX_CHILDREN:,} ranges or {MAX_PARTS // 2:,} shards at most",
        inf,
        none,
    )
    yield Limit(
        f"{TIMEOUT_SECONDS[Function.API]} s of an API call",
        "a call reads a bounded part of an index",
        inf,
        none,
    )
    yield Limit("6 MB of an API call", "pages are cut at 5 MB, updates come in calls", inf, none)


def _in_time(seconds: int) -> int:
    return int(seconds / (SELECT_SECONDS_PER_ENTRY + 3 * INDEX_BYTES / S3_BYTES_PER_SECOND))


def first_to_bind(entries: int, solver_memory_mb: int) -> str:
    """What breaks first at this size, with what would lift it; a dash if nothing does."""
    binding = [limit for limit in all_limits(solver_memory_mb) if limit.entries < entries]
    if not binding:
        return "-"
    first = min(binding, key=lambda limit: limit.entries)
    return f"{first.name} (at {first.entries:,.0f}); lifted by {first.lifted}"


def table(solver_memory_mb: int = SOLVER_MEMORY_MB) -> str:
    """Markdown, what binds first at the top."""
    lines = [
        "| limit | what comes near it | binds at, entries | lifted by |",
        "| --- | --- | ---: | --- |",
    ]
    for one in sorted(all_limits(solver_memory_mb), key=lambda limit: limit.entries):
        binds = "never" if one.entries == inf else f"{one.entries:,.0f}"
        lines.append(f"| {one.name} | {one.binds} | {binds} | {one.lifted} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
