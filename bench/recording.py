"""Record the AWS usage of one operation on the local emulator."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.usage import Usage, count_usage
from local.emulator.call_recorder import Call, CallRecorder
from local.emulator.server import Emulator
from twofold.settings import Function

PATIENCE_SECONDS = 300

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Recording:
    usage: Usage
    calls: list[Call]
    history: list[dict[str, Any]]

    def measure_payloads(self) -> list[int]:
        """The sizes in bytes of the input, output and parameters of each state."""
        return [
            len(details[member])
            for event in self.history
            for details in event.values()
            if isinstance(details, dict)
            for member in ("input", "output", "parameters")
            if isinstance(details.get(member), str)
        ]


def record(emulator: Emulator, call_recorder: CallRecorder, call: Callable[[], None]) -> Recording:
    """Record the usage of an API call and of the workflow that it starts, up to Publish, without sweeps."""
    functions = emulator.functions
    _wait_until(lambda: functions.idle)
    before, spent = dict(functions.invocations), dict(functions.cpu_seconds)
    with emulator.settle_lock, call_recorder.record() as calls:
        call()
        _wait_until(
            lambda: functions.invocations[Function.PUBLISH] > before.get(Function.PUBLISH, 0)
        )
        _wait_until(lambda: functions.idle and call_recorder.idle)
    started = next(call.request for call in calls if call.operation == "StartExecution")
    history = _read_history(emulator, started)
    invocations = _subtract(functions.invocations, before)
    cpu = _subtract(functions.cpu_seconds, spent)
    return Recording(count_usage(calls, history, invocations, cpu), list(calls), history)


def _read_history(emulator: Emulator, started: Mapping[str, Any]) -> list[dict[str, Any]]:
    client = emulator.create_client("stepfunctions")
    machine = started["stateMachineArn"].replace(":stateMachine:", ":execution:")
    arn = f"{machine}:{started['name']}"
    _wait_until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    history: list[dict[str, Any]] = json.loads(json.dumps(events, default=str))
    return history


def _subtract(
    now: Mapping[Function, Number], before: Mapping[Function, Number]
) -> dict[Function, Number]:
    return {name: value - before.get(name, 0) for name, value in now.items()}


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The operation did not end.")
        time.sleep(0.02)
