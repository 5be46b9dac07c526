"""Recording what one operation uses on the embedded stack."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.usage import Usage, usage
from local.meter import Call, Meter
from local.stack import Stack
from twofold.settings import Function

PATIENCE_SECONDS = 300

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Recorded:
    usage: Usage
    calls: list[Call]
    history: list[dict[str, Any]]

    def payloads(self) -> list[int]:
        """Bytes of what each state was given and gave."""
        return [
            len(details[member])
            for event in self.history
            for details in event.values()
            if isinstance(details, dict)
            for member in ("input", "output", "parameters")
            if isinstance(details.get(member), str)
        ]


def record(stack: Stack, meter: Meter, begin: Callable[[], None]) -> Recorded:
    """What `begin`'s call of the API and the workflow that it starts use, up to Publish. No sweep comes in between."""
    functions = stack.functions
    _await(lambda: functions.idle)
    before, spent = dict(functions.invocations), dict(functions.cpu_seconds)
    with stack.sweeping, meter.recording() as calls:
        begin()
        _await(lambda: functions.invocations[Function.PUBLISH] > before.get(Function.PUBLISH, 0))
        _await(lambda: functions.idle and meter.idle)
    started = next(call.request for call in calls if call.operation == "StartExecution")
    history = _history(stack, started)
    invocations = _difference(functions.invocations, before)
    cpu = _difference(functions.cpu_seconds, spent)
    return Recorded(usage(calls, history, invocations, cpu), list(calls), history)


def _history(stack: Stack, started: Mapping[str, Any]) -> list[dict[str, Any]]:
    client = stack.client("stepfunctions")
    machine = started["stateMachineArn"].replace(":stateMachine:", ":execution:")
    arn = f"{machine}:{started['name']}"
    _await(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    history: list[dict[str, Any]] = json.loads(json.dumps(events, default=str))
    return history


def _difference(
    now: Mapping[Function, Number], before: Mapping[Function, Number]
) -> dict[Function, Number]:
    return {name: value - before.get(name, 0) for name, value in now.items()}


def _await(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The operation did not end.")
        time.sleep(0.02)
