"""The AWS usage of an operation, and its cost by list prices.

Calls and bytes are counted on the local emulator, where the same functions make the same calls. Time in Lambda is estimated:
the CPU seconds of a function on this machine, divided by the share of a vCPU that its memory gets; 30 ms for every call of a
function; and S3 bytes at 75 MB/s (a Lambda function gets 50 to 90), both at the memory of Move. The callers' average is lower.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from bench import prices
from local.emulator.call_recorder import Call
from twofold.settings import MEMORY_MB, Function

VCPU_MB = 1769
"""The memory at which a Lambda function has one vCPU; with less memory it has a share. The functions use one vCPU."""
CALL_SECONDS = 0.03
S3_BYTES_PER_SECOND = 75e6
EXPRESS_MB = 64
_LOG_BYTES = 1_200
"""Log bytes of an invocation: one line of Twofold, and Lambda's report."""

_FREE = ("DeleteObject",)
_READS = ("GetObject", "HeadObject")
_TRANSACTIONS = ("TransactWriteItems", "TransactGetItems")


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of AWS usage. `children` are the executions of Distributed Maps; each is also a transition of the parent."""

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
        cpu = sum(self.cpu_seconds.get(function, 0) for function in (Function.INDEX, Function.MOVE))
        seconds = cpu + self.s3_bytes / S3_BYTES_PER_SECOND
        return ceil(seconds * 10) / 10 * EXPRESS_MB / 1024

    def compute_costs(self) -> dict[str, float]:
        """Dollars by service."""
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
        return sum(self.compute_costs().values())


def count_usage(
    calls: Iterable[Call],
    history: Iterable[Mapping[str, Any]],
    invocations: Mapping[Function, int],
    cpu_seconds: Mapping[Function, float],
) -> Usage:
    """Count the usage of an execution from its events `history` and from the calls, invocations and CPU time during it."""
    recorded = list(calls)
    s3 = [call for call in recorded if call.service == "S3" and call.operation not in _FREE]
    reads = [call for call in s3 if call.operation in _READS]
    return Usage(
        api_requests=invocations.get(Function.API, 0),
        s3_writes=len(s3) - len(reads),
        s3_reads=len(reads),
        s3_bytes=sum(call.sent + call.received for call in s3),
        read_units=sum(count_read_units(call) for call in recorded),
        write_units=sum(count_write_units(call) for call in recorded),
        transitions=sum(event["type"].endswith("StateEntered") for event in history),
        children=invocations.get(Function.INDEX, 0) + invocations.get(Function.MOVE, 0),
        events=sum(call.operation == "PutEvents" for call in recorded),
        invocations=dict(invocations),
        cpu_seconds=dict(cpu_seconds),
        calls=sum(call.service != "Lambda" for call in recorded),
    )


def count_write_units(call: Call) -> float:
    """1 unit for each item written of up to 1 KB, 2 in a transaction; or by the size of the request if larger."""
    if call.service != "DynamoDB":
        return 0
    if call.operation in _TRANSACTIONS:
        items = call.request.get("TransactItems", [])
        return 2.0 * max(len(items), ceil(call.sent / 1024))
    return float(call.operation in ("PutItem", "UpdateItem", "DeleteItem"))


def count_read_units(call: Call) -> float:
    """1 unit for each 4 KB of a consistent read; in a batch at least 1 for each item."""
    if call.service != "DynamoDB" or call.operation not in ("GetItem", "Query", "BatchGetItem"):
        return 0
    tables: Mapping[str, Any] = call.request.get("RequestItems", {})
    items = sum(len(table["Keys"]) for table in tables.values())
    return float(max(1, items, ceil(call.received / 4096)))


SWEEPS = 730 * 60
"""Sweeps of a month."""
SWEEP_SECONDS = 0.03
"""Seconds of a warm Settle that finds no operation: two queries."""


def compute_idle_month() -> float:
    """Dollars for the sweeps of a month, the only work of an idle stage; see bench/standing_costs.py."""
    each = (
        prices.LAMBDA_REQUEST
        + SWEEP_SECONDS * MEMORY_MB[Function.SETTLE] / 1024 * prices.LAMBDA_GB_SECOND
        + 2 * prices.DYNAMODB_READ_UNIT
        + _LOG_BYTES / 1e9 * prices.LOGS_GB
    )
    return SWEEPS * each


def count_by_operation(calls: Iterable[Call]) -> Counter[str]:
    return Counter(f"{call.service} {call.operation}" for call in calls)
