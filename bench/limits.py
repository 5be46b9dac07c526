"""The limits of a job: the number of entries at which each is reached, and the remedy."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from bench.calibration import SELECT_SECONDS_PER_ENTRY
from bench.usage import S3_BYTES_PER_SECOND
from twofold.manifest.transfer.shards import MAX_PARTS, SHARD_BYTES
from twofold.quotas import get_quotas
from twofold.settings import SOLVER_MEMORY_MB, TIMEOUT_SECONDS, Function, QuotaProfile
from twofold.workflow.memory import estimate_max_entries

LINE_BYTES = 600
INDEX_BYTES = 24
STATE_BYTES, EVENTS = 256 << 10, 25_000
LARGEST_PAYLOAD, USUAL_EVENTS = 8_000, 60
"""A test keeps payloads below LARGEST_PAYLOAD; a distribution has 22 events, an ingest about 40."""
MAX_PUT_BYTES, MAX_OBJECT_BYTES = 5 << 30, 5 << 40
MAX_CHILDREN, CONCURRENCY = 10_000, 40


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, reached at `entries` (infinite if nothing that grows with the dataset counts towards the limit)."""

    name: str
    cause: str
    entries: float
    remedy: str


def iterate_limits(solver_memory_mb: int) -> Iterator[Limit]:
    """Yield the limits for lines of LINE_BYTES."""
    quotas = get_quotas(QuotaProfile.TWOFOLD)
    yield Limit(
        f"{solver_memory_mb:,} MB of memory",
        "Resolve, Select and Merge hold a whole index",
        estimate_max_entries(solver_memory_mb),
        f"the option solver_memory_mb, to {estimate_max_entries(10_240):,} at Lambda's maximum; then an index in several parts",
    )
    yield Limit(
        f"{quotas.manifest_lines:,} entries",
        "quota of Twofold",
        quotas.manifest_lines,
        "a number in twofold/quotas.py",
    )
    yield Limit(
        f"{quotas.manifest_bytes >> 30:,} GiB of manifest",
        "quota of Twofold",
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
        "Select reads an index, selects, and writes two",
        _estimate_entries_in_time(TIMEOUT_SECONDS[Function.SELECT]),
        "selecting by label sets, whose number does not grow, in a worker for each range",
    )
    yield Limit(
        f"{TIMEOUT_SECONDS[Function.MOVE]} s of a Move worker",
        f"shards grow beyond {SHARD_BYTES >> 20} MiB if there were more than {MAX_PARTS // 2:,}",
        (MAX_PARTS // 2) * TIMEOUT_SECONDS[Function.MOVE] * S3_BYTES_PER_SECOND / 2 // LINE_BYTES,
        "a longer time limit, up to 900 s",
    )
    yield Limit("5 TiB in an object", "the manifest", MAX_OBJECT_BYTES // LINE_BYTES, "nothing")
    yield from _iterate_unreachable_limits()


def _iterate_unreachable_limits() -> Iterator[Limit]:
    none = "none needed"
    yield Limit(
        f"{STATE_BYTES >> 10} KiB between states",
        f"at most {LARGEST_PAYLOAD:,} bytes for any dataset: lists are in S3",
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
    yield Limit(
        "6 MB of an API call", "pages are cut at 5 MB, updates have several calls", inf, none
    )


def _estimate_entries_in_time(seconds: int) -> int:
    return int(seconds / (SELECT_SECONDS_PER_ENTRY + 3 * INDEX_BYTES / S3_BYTES_PER_SECOND))


def describe_first_limit(entries: int, solver_memory_mb: int) -> str:
    """The first limit that a job of `entries` entries reaches, with the remedy; "-" if none."""
    binding = [limit for limit in iterate_limits(solver_memory_mb) if limit.entries < entries]
    if not binding:
        return "-"
    first = min(binding, key=lambda limit: limit.entries)
    return f"{first.name} (at {first.entries:,.0f}); remedy: {first.remedy}"


def render_table(solver_memory_mb: int = SOLVER_MEMORY_MB) -> str:
    """The limits as a Markdown table, lowest first."""
    lines = [
        "| limit | counted against it | reached at, entries | remedy |",
        "| --- | --- | ---: | --- |",
    ]
    for limit in sorted(iterate_limits(solver_memory_mb), key=lambda limit: limit.entries):
        binds = "never" if limit.entries == inf else f"{limit.entries:,.0f}"
        lines.append(f"| {limit.name} | {limit.cause} | {binds} | {limit.remedy} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(render_table())
