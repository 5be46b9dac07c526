"""The names of what is measured, for those who measure and for the alarms and the dashboard that watch."""

from collections.abc import Mapping
from enum import StrEnum

NAMESPACE = "Twofold"


class Metric(StrEnum):
    CALLS = "Calls"
    LATENCY = "Latency"
    REFUSALS = "Refusals"
    FAILURES = "Failures"
    SHARDS = "Shards"
    ENTRIES = "Entries"
    BYTES = "Bytes"
    OPERATIONS = "Operations"
    TIME_IN_PROGRESS = "TimeInProgress"
    ACTIVE_OPERATIONS = "ActiveOperations"
    OLDEST_OPERATION = "OldestOperation"
    COLLECTED = "Collected"


UNITS: Mapping[Metric, str] = {
    Metric.LATENCY: "Milliseconds",
    Metric.TIME_IN_PROGRESS: "Milliseconds",
    Metric.OLDEST_OPERATION: "Seconds",
    Metric.BYTES: "Bytes",
}
"""Whatever is not named here is a count."""


class Dimension(StrEnum):
    """Every metric has the stage; `WORKFLOW` is that of an operation, `OPERATION` one of the API."""

    STAGE = "Stage"
    FUNCTION = "Function"
    OPERATION = "Operation"
    WORKFLOW = "Workflow"
    STATUS = "Status"
    OUTCOME = "Outcome"
    ERROR = "Error"


class Outcome(StrEnum):
    """How an operation ended; the last two are the codes that its datasets show."""

    COMPLETE = "COMPLETE"
    CLIENT_ERROR = "CLIENT_ERROR"
    SERVICE_ERROR = "SERVICE_ERROR"
