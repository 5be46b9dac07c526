"""`python -m bench.counts`: the calls that an operation makes for each range and for each shard, which are all that grow.

Recorded runs are held to these numbers (tests/test_calls_per_shard.py), larger ones are reckoned with them
(bench/simulate.py), and docs/cost.md shows them.
"""

from collections.abc import Mapping

from bench import prices

Calls = Mapping[str, int]

OF_A_RANGE: Calls = {
    "S3 GetObject": 3,  # its part of the source, the end of its last line; Resolve reads its piece
    "S3 PutObject": 1,  # the piece
    "Lambda Invoke": 1,
}
"""Of an ingest. The last range has no line that goes on behind it: it makes one read less."""

OF_A_SHARD: Calls = {
    "S3 GetObject": 3,  # its part of the plan, its part of the source; Publish reads its record
    "S3 PutObject": 1,  # the record
    "S3 UploadPart": 1,
    "Lambda Invoke": 1,
}
"""Of an ingest."""

OF_A_SHARD_IN_TWO: Calls = {**OF_A_SHARD, "S3 UploadPart": 2}
"""Of a distribution."""

ALL: Mapping[str, Calls] = {
    "a range taken in": OF_A_RANGE,
    "a shard taken in": OF_A_SHARD,
    "a shard distributed": OF_A_SHARD_IN_TWO,
}
READS = frozenset({"S3 GetObject", "S3 HeadObject"})


def reads(calls: Calls) -> int:
    return sum(number for name, number in calls.items() if name in READS)


def writes(calls: Calls) -> int:
    """Of S3."""
    return sum(number for name, number in calls.items() if name.startswith("S3 ")) - reads(calls)


def dollars(calls: Calls) -> float:
    """Without the time of functions. An invocation is that of a child execution, which the parent's transition starts."""
    child = prices.LAMBDA_REQUEST + prices.STATE_TRANSITION + prices.EXPRESS_REQUEST
    return (
        reads(calls) * prices.S3_READ
        + writes(calls) * prices.S3_WRITE
        + calls["Lambda Invoke"] * child
    )


def table() -> str:
    """Markdown."""
    rows = [
        "| each | S3 reads | S3 writes | DynamoDB calls | invocations | child executions | together |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, calls in ALL.items():
        invoked = calls["Lambda Invoke"]
        rows.append(
            f"| {name} | {reads(calls)} | {writes(calls)} | 0 | {invoked} | {invoked} | ${dollars(calls):.7f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
