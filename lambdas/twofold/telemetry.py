"""Structured log lines with CloudWatch metrics in embedded metric format (EMF).

Each outcome is one line. Every line has the stage, the function and the request id, and, once bound, the id and datasets of the
operation.
"""

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from aws_lambda_powertools import Logger

from twofold import clock
from twofold.errors import OperationRefused
from twofold.metrics import NAMESPACE, UNITS, Dimension, Metric, Outcome
from twofold.records import Operation
from twofold.settings import PRODUCT, ApiOperation, Function

Counts = dict[Metric, float]


class _StdoutHandler(logging.StreamHandler[TextIO]):
    """Writes to the current `sys.stdout`: tests and the emulator replace the stream."""

    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Do nothing; the constructor of StreamHandler sets the attribute."""


_log = Logger(service=PRODUCT, utc=True, logger_handler=_StdoutHandler())


@dataclass(frozen=True, slots=True)
class Measurement:
    """Values of metrics by the stage and `dimensions`."""

    dimensions: Mapping[Dimension, str]
    values: Mapping[Metric, float]


def start_invocation(function: Function, context: Any, request_id: str = "") -> None:
    """Bind stage, function and request id to the log, at the start of the invocation. The default request id is Lambda's."""
    name: str = context.function_name
    _log.clear_state()
    stage = name.removeprefix(f"{PRODUCT}-").removesuffix(f"-{function}")
    _log.append_keys(
        **{Dimension.STAGE: stage, Dimension.FUNCTION: function.value},
        requestId=request_id or context.aws_request_id,
    )


def bind_api_operation(operation: ApiOperation) -> None:
    """Bind the API operation of this invocation to the log and the metrics."""
    _log.append_keys(**{Dimension.OPERATION: operation.value})


def bind_operation(operation: Operation) -> None:
    """Bind an asynchronous operation to all later lines of this invocation."""
    _log.append_keys(
        operationId=operation.id, datasets=[dataset.path for dataset in operation.datasets]
    )


def emit(message: str, *measurements: Measurement, failed: bool = False, **fields: Any) -> None:
    """Write a line with metrics. With `failed`, the level is ERROR and the line has the traceback of the current exception."""
    level = logging.ERROR if failed else logging.INFO
    members = _build_embedded_metrics(measurements)
    if _log.log_level <= level:
        (_log.exception if failed else _log.info)(message, extra={**fields, **members})
    elif measurements:
        print(json.dumps(members))  # noqa: T201 metrics do not depend on the log level


@contextmanager
def track_step(function: Function, operation: Operation, context: Any) -> Iterator[Counts]:
    """Log a step of a workflow: duration and counts, or the exception. The body of the `with` fills the yielded counts."""
    start_invocation(function, context)
    bind_operation(operation)
    counts: Counts = {}
    began = time.perf_counter()
    try:
        yield counts
    except OperationRefused as error:
        refusal = Measurement({Dimension.ERROR: type(error).__name__}, {Metric.REFUSALS: 1})
        emit("refused", refusal, reason=str(error))
        raise
    except Exception as error:
        record_failure(function, error)
        raise
    dimensions = {Dimension.FUNCTION: function.value}
    measurements = [Measurement(dimensions, counts)] if counts else []
    emit("step done", *measurements, milliseconds=round(1000 * (time.perf_counter() - began)))


def record_api_call(error: str, began: float) -> None:
    """Log a call of the API with the latency. `error` is the error code or empty; `began` is from time.perf_counter."""
    operation = str(_log.get_current_keys().get(Dimension.OPERATION, "Unknown"))
    milliseconds = round(1000 * (time.perf_counter() - began))
    values: Counts = {Metric.CALLS: 1, Metric.LATENCY: milliseconds}
    measurements = [Measurement({Dimension.OPERATION: operation}, values)]
    if error:
        measurements.append(Measurement({Dimension.ERROR: error}, {Metric.REFUSALS: 1}))
    emit("answered", *measurements)


def record_failure(function: Function, error: Exception) -> None:
    """Log the current exception with the traceback, and count by function and by class."""
    failure = {Metric.FAILURES: 1}
    emit(
        "failed",
        Measurement({Dimension.FUNCTION: function.value}, failure),
        Measurement({Dimension.ERROR: type(error).__name__}, failure),
        failed=True,
    )


def record_operation_end(operation: Operation, outcome: Outcome, now: int, **fields: Any) -> None:
    """Log the end of an operation, exactly once for each operation. `now` is in epoch milliseconds."""
    bind_operation(operation)
    end = {Metric.OPERATIONS: 1}
    duration = {Metric.TIME_IN_PROGRESS: now - operation.created}
    emit(
        "operation ended",
        Measurement({Dimension.OUTCOME: outcome.value}, end),
        Measurement({Dimension.WORKFLOW: operation.kind.workflow.value}, end),
        Measurement({Dimension.STATUS: operation.kind.in_progress_status.value}, duration),
        **fields,
    )


def record_active_operations(active: Iterable[Operation], now: int) -> None:
    """Log the number of active operations and the age of the oldest; `now` is in epoch milliseconds."""
    start_times = [operation.created for operation in active]
    oldest_seconds = (now - min(start_times)) / 1000 if start_times else 0
    values = {
        Metric.ACTIVE_OPERATIONS: len(start_times),
        Metric.OLDEST_OPERATION: oldest_seconds,
    }
    emit("operations watched", Measurement({}, values))


def _build_embedded_metrics(measurements: Iterable[Measurement]) -> dict[str, Any]:
    """Return the EMF members of a line; CloudWatch extracts metrics from them."""
    stage = {Dimension.STAGE: str(_log.get_current_keys().get(Dimension.STAGE, ""))}
    members: dict[str, Any] = {}
    directives = []
    for measure in measurements:
        dimensions = stage | dict(measure.dimensions)
        members.update({key.value: value for key, value in dimensions.items()})
        members.update({metric.value: value for metric, value in measure.values.items()})
        directives.append(
            {
                "Namespace": NAMESPACE,
                "Dimensions": [list(dimensions)],
                "Metrics": [
                    {"Name": metric.value, "Unit": UNITS.get(metric, "Count")}
                    for metric in measure.values
                ],
            }
        )
    if directives:
        members["_aws"] = {"Timestamp": clock.now(), "CloudWatchMetrics": directives}
    return members
