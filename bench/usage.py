"""What a piece of work used of AWS, and what that costs by the list prices.

Everything but time is counted on the embedded stack, where the same functions make the same calls. Time is reckoned, since
a Lambda is not this machine: a function's CPU seconds here, divided by the part of a vCPU that its memory gets; 30 ms for
every call that a function makes, and its S3 bytes at 75 MB/s (a Lambda gets 50 to 90), both at the memory of Move: the
callers' average is lower.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from bench import prices
from local.meter import Call
from twofold.settings import MEMORY_MB, Function

VCPU_MB = 1769
"""Lambda gives a function one vCPU at this size, less below it, and our functions use one."""
CALL_SECONDS = 0.03
S3_BYTES_PER_SECOND = 75e6
EXPRESS_MB = 64
_LOG_BYTES = 1_200
"""Of an invocation: its one line of ours, and Lambda's report."""

_FREE = ("DeleteObject",)
_READS = ("GetObject", "HeadObject")
_TRANSACTIONS = ("TransactWriteItems", "TransactGetItems")


@dataclass(frozen=True, slots=True)
class Usage:
    """`children` are the executions of Distributed Maps, each reckoned as a transition of the parent too."""

    api_requests: int
    s3_writes: int
    s3_reads: int
    s3_bytes: int
    read_units: float
    write_units: float
    transitions: int
    children: int
    events: int
    invocations: Mapping[Function, int]
    cpu_seconds: Mapping[Function, float]
    calls: int

    @property
    def gb_seconds(self) -> float:
        working = sum(
            seconds / min(1, MEMORY_MB[function] / VCPU_MB) * MEMORY_MB[function]
            for function, seconds in self.cpu_seconds.items()
        )
        waiting = self.calls * CALL_SECONDS * MEMORY_MB[Function.MOVE]
        moving = self.s3_bytes / S3_BYTES_PER_SECOND * MEMORY_MB[Function.MOVE]
        return (working + waiting + moving) / 1024

    @property
    def express_gb_seconds(self) -> float:
        cpu = sum(self.cpu_seconds.get(one, 0) for one in (Function.INDEX, Function.MOVE))
        seconds = cpu + self.s3_bytes / S3_BYTES_PER_SECOND
        return ceil(seconds * 10) / 10 * EXPRESS_MB / 1024

    def dollars(self) -> dict[str, float]:
        """By service."""
        invocations = sum(self.invocations.values())
        return {
            "API Gateway": self.api_requests * prices.API_REQUEST,
            "Lambda": self.gb_seconds * prices.LAMBDA_GB_SECOND
            + invocations * prices.LAMBDA_REQUEST,
            "S3 requests": self.s3_writes * prices.S3_WRITE + self.s3_reads * prices.S3_READ,
            "DynamoDB": self.read_units * prices.DYNAMODB_READ_UNIT
            + self.write_units * prices.DYNAMODB_WRITE_UNIT,
            "Step Functions": (self.transitions + self.children) * prices.STATE_TRANSITION
            + self.children * prices.EXPRESS_REQUEST
            + self.express_gb_seconds * prices.EXPRESS_GB_SECOND,
            "EventBridge": self.events * prices.EVENT,
            "Logs": invocations * _LOG_BYTES / 1e9 * prices.LOGS_GB,
        }

    @property
    def total(self) -> float:
        return sum(self.dollars().values())


def usage(
    calls: Iterable[Call],
    history: Iterable[Mapping[str, Any]],
    invocations: Mapping[Function, int],
    cpu_seconds: Mapping[Function, float],
) -> Usage:
    """`history` are the events of the execution; the rest is what was counted while it ran."""
    recorded = list(calls)
    s3 = [call for call in recorded if call.service == "S3" and call.operation not in _FREE]
    reads = [call for call in s3 if call.operation in _READS]
    return Usage(
        api_requests=invocations.get(Function.API, 0),
        s3_writes=len(s3) - len(reads),
        s3_reads=len(reads),
        s3_bytes=sum(call.sent + call.received for call in s3),
        read_units=sum(read_units(call) for call in recorded),
        write_units=sum(write_units(call) for call in recorded),
        transitions=sum(event["type"].endswith("StateEntered") for event in history),
        children=invocations.get(Function.INDEX, 0) + invocations.get(Function.MOVE, 0),
        events=sum(call.operation == "PutEvents" for call in recorded),
        invocations=dict(invocations),
        cpu_seconds=dict(cpu_seconds),
        calls=sum(call.service != "Lambda" for call in recorded),
    )


def write_units(call: Call) -> float:
    """1 for each item written, up to 1 KB, and 2 in a transaction; by the request's size where that is more."""
    if call.service != "DynamoDB":
        return 0
    if call.operation in _TRANSACTIONS:
        items = call.request.get("TransactItems", [])
        return 2.0 * max(len(items), ceil(call.sent / 1024))
    return float(call.operation in ("PutItem", "UpdateItem", "DeleteItem"))


def read_units(call: Call) -> float:
    """1 for each 4 KB of an answer to a consistent read; of each item, where a batch asks for several."""
    if call.service != "DynamoDB" or call.operation not in ("GetItem", "Query", "BatchGetItem"):
        return 0
    tables: Mapping[str, Any] = call.request.get("RequestItems", {})
    items = sum(len(table["Keys"]) for table in tables.values())
    return float(max(1, items, ceil(call.received / 4096)))


SWEEPS = 730 * 60
"""Of a month."""
SWEEP_SECONDS = 0.03
"""Of a warm Settle that finds nothing: two queries."""


def idle_month() -> float:
    """Dollars for the sweeps of a month, which is all that a stage does when nobody uses it; see bench/standing.py."""
    each = (
        prices.LAMBDA_REQUEST
        + SWEEP_SECONDS * MEMORY_MB[Function.SETTLE] / 1024 * prices.LAMBDA_GB_SECOND
        + 2 * prices.DYNAMODB_READ_UNIT
        + _LOG_BYTES / 1e9 * prices.LOGS_GB
    )
    return SWEEPS * each


def by_operation(calls: Iterable[Call]) -> Counter[str]:
    return Counter(f"{call.service} {call.operation}" for call in calls)
