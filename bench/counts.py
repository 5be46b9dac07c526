"""`python -m bench counts`: AWS calls of an operation for each range and each shard. All other calls are constant in number.

tests/end_to_end/test_calls_per_shard.py compares recorded runs with these counts, bench/simulate.py uses the counts for larger
runs, and docs/cost.md shows the table.
"""

from collections.abc import Mapping

from bench import prices

Calls = Mapping[str, int]

RANGE_CALLS: Calls = {
    "S3 GetObject": 3,  # part of the source, end of the last line; Resolve reads the range index
    "S3 PutObject": 1,  # the range index
    "Lambda Invoke": 1,
}
"""An ingest. The last range has no line that continues behind it and makes one read less."""

SHARD_CALLS: Calls = {
    "S3 GetObject": 3,  # part of the plan, part of the source; Publish reads the record
    "S3 PutObject": 1,  # the record
    "S3 UploadPart": 1,
    "Lambda Invoke": 1,
}
"""An ingest."""

DISTRIBUTED_SHARD_CALLS: Calls = {**SHARD_CALLS, "S3 UploadPart": 2}
"""A distribution."""

CALLS_BY_UNIT: Mapping[str, Calls] = {
    "a range taken in": RANGE_CALLS,
    "a shard taken in": SHARD_CALLS,
    "a shard distributed": DISTRIBUTED_SHARD_CALLS,
}
READS = frozenset({"S3 GetObject", "S3 HeadObject"})


def count_reads(calls: Calls) -> int:
    return sum(number for name, number in calls.items() if name in READS)


def count_writes(calls: Calls) -> int:
    """S3 requests other than reads."""
    return sum(number for name, number in calls.items() if name.startswith("S3 ")) - count_reads(
        calls
    )


def compute_cost(calls: Calls) -> float:
    """Dollars without the time of functions. Each invocation has a child execution and a transition of the parent."""
    child = prices.LAMBDA_REQUEST + prices.STATE_TRANSITION + prices.EXPRESS_REQUEST
    return (
        count_reads(calls) * prices.S3_READ
        + count_writes(calls) * prices.S3_WRITE
        + calls["Lambda Invoke"] * child
    )


def render_table() -> str:
    """The counts and costs as a Markdown table."""
    rows = [
        "| each | S3 reads | S3 writes | DynamoDB calls | invocations | child executions | together |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, calls in CALLS_BY_UNIT.items():
        invoked, cost = calls["Lambda Invoke"], compute_cost(calls)
        rows.append(
            f"| {name} | {count_reads(calls)} | {count_writes(calls)} | 0 | {invoked} | {invoked} | ${cost:.7f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(render_table())
