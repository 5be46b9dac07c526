"""What functions tell: one structured line for each outcome, which carries its metrics in CloudWatch's embedded metric format.

Every line has the stage, the function and the request's id, and the operation's id and its datasets as soon as they are known.
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
from twofold.settings import PRODUCT, Function
from twofold.settings import Operation as ApiOperation

Counts = dict[Metric, float]


class _Stdout(logging.StreamHandler[TextIO]):
    """Writes to what is standard output when a line is written."""

    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Ignored: StreamHandler sets it once."""


_log = Logger(service=PRODUCT, utc=True, logger_handler=_Stdout())


@dataclass(frozen=True, slots=True)
class Measure:
    """Metrics by the stage and these dimensions together."""

    by: Mapping[Dimension, str]
    values: Mapping[Metric, float]


def begin(function: Function, context: Any, request_id: str = "") -> None:
    """To be called first in an invocation. `request_id` is the caller's; without one it is Lambda's."""
    name: str = context.function_name
    _log.clear_state()
    stage = name.removeprefix(f"{PRODUCT}-").removesuffix(f"-{function}")
    _log.append_keys(
        **{Dimension.STAGE: stage, Dimension.FUNCTION: function.value},
        requestId=request_id or context.aws_request_id,
    )


def calls(operation: ApiOperation) -> None:
    """The operation of the API that this invocation answers."""
    _log.append_keys(**{Dimension.OPERATION: operation.value})


def concerns(operation: Operation) -> None:
    """What is told from here on is about this operation."""
    _log.append_keys(
        operationId=operation.id, datasets=[dataset.path for dataset in operation.datasets]
    )


def tell(message: str, *measures: Measure, failed: bool = False, **fields: Any) -> None:
    """One line. With `failed` it has the trace of the exception that is being handled, and is an error."""
    level = logging.ERROR if failed else logging.INFO
    members = _embedded(measures)
    if _log.log_level <= level:
        (_log.exception if failed else _log.info)(message, extra={**fields, **members})
    elif measures:
        print(json.dumps(members))  # noqa: T201 metrics are published whatever the level


@contextmanager
def step(function: Function, operation: Operation, context: Any) -> Iterator[Counts]:
    """A step of a workflow: how long it took and what it counted, or with which exception it failed."""
    begin(function, context)
    concerns(operation)
    counts: Counts = {}
    began = time.perf_counter()
    try:
        yield counts
    except OperationRefused as error:
        refused = Measure({Dimension.ERROR: type(error).__name__}, {Metric.REFUSALS: 1})
        tell("refused", refused, reason=str(error))
        raise
    except Exception as error:
        failure(function, error)
        raise
    by = {Dimension.FUNCTION: function.value}
    measures = [Measure(by, counts)] if counts else []
    tell("step done", *measures, milliseconds=round(1000 * (time.perf_counter() - began)))


def answered(error: str, began: float) -> None:
    """A call of the API, with the name of the error that it was answered with, if any; `began` by time.perf_counter."""
    operation = str(_log.get_current_keys().get(Dimension.OPERATION, "Unknown"))
    milliseconds = round(1000 * (time.perf_counter() - began))
    values: Counts = {Metric.CALLS: 1, Metric.LATENCY: milliseconds}
    measures = [Measure({Dimension.OPERATION: operation}, values)]
    if error:
        measures.append(Measure({Dimension.ERROR: error}, {Metric.REFUSALS: 1}))
    tell("answered", *measures)


def failure(function: Function, error: Exception) -> None:
    """The exception that is being handled, with its trace; counted by function and by name."""
    once = {Metric.FAILURES: 1}
    tell(
        "failed",
        Measure({Dimension.FUNCTION: function.value}, once),
        Measure({Dimension.ERROR: type(error).__name__}, once),
        failed=True,
    )


def ended(operation: Operation, outcome: Outcome, now: int, **fields: Any) -> None:
    """To be called by whoever ended the operation: once for each. `now` in epoch milliseconds."""
    concerns(operation)
    once = {Metric.OPERATIONS: 1}
    took = {Metric.TIME_IN_PROGRESS: now - operation.created}
    tell(
        "operation ended",
        Measure({Dimension.OUTCOME: outcome.value}, once),
        Measure({Dimension.WORKFLOW: operation.kind.workflow.value}, once),
        Measure({Dimension.STATUS: operation.kind.in_progress.value}, took),
        **fields,
    )


def watched(active: Iterable[Operation], now: int) -> None:
    """How many operations are under way, and for how long the oldest of them; `now` in epoch milliseconds."""
    begun = [operation.created for operation in active]
    oldest = (now - min(begun)) / 1000 if begun else 0
    values = {Metric.ACTIVE_OPERATIONS: len(begun), Metric.OLDEST_OPERATION: oldest}
    tell("operations watched", Measure({}, values))


def _embedded(measures: Iterable[Measure]) -> dict[str, Any]:
    """Members of a line from which CloudWatch makes metrics."""
    stage = {Dimension.STAGE: str(_log.get_current_keys().get(Dimension.STAGE, ""))}
    members: dict[str, Any] = {}
    directives = []
    for measure in measures:
        dimensions = stage | dict(measure.by)
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
