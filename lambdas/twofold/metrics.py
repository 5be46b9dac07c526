"""Names of CloudWatch metrics and dimensions, shared by the functions, the alarms and the dashboard."""

from collections.abc import Mapping
from enum import StrEnum

NAMESPACE = "Twofold"


class Metric(StrEnum):
    """Names of the metrics in `NAMESPACE`."""

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
"""Units of metrics; every other metric is a count."""


class Dimension(StrEnum):
    """Names of the dimensions. Every metric has STAGE; WORKFLOW is a state machine, OPERATION an operation of the API."""

    STAGE = "Stage"
    FUNCTION = "Function"
    OPERATION = "Operation"
    WORKFLOW = "Workflow"
    STATUS = "Status"
    OUTCOME = "Outcome"
    ERROR = "Error"


class Outcome(StrEnum):
    """Outcomes of an operation; the two errors are values of StatusMessageCode."""

    COMPLETE = "COMPLETE"
    CLIENT_ERROR = "CLIENT_ERROR"
    SERVICE_ERROR = "SERVICE_ERROR"
