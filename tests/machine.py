"""A small interpreter of the deployed ASL files, in this process: tasks, maps, retries and catches as Step Functions does them.

What runs a function is the caller's, so that it can fail, be killed or be late as a Lambda function can.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

import infra
from twofold.settings import Function, Workflow

Invoke = Callable[[Function, dict[str, Any]], Any]


class TaskFailedError(Exception):
    """`error` as a state machine names it; `cause` is text."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


def raised(error: Exception) -> TaskFailedError:
    """What Lambda makes of a handler's exception."""
    name = type(error).__name__
    return TaskFailedError(name, json.dumps({"errorMessage": str(error), "errorType": name}))


@dataclass(frozen=True, slots=True)
class Machine:
    """`order` decides in which order a Distributed Map's items run; they know nothing of each other."""

    invoke: Invoke
    order: Callable[[list[Any]], list[Any]] = list

    def run(self, workflow: Workflow, data: dict[str, Any]) -> str:
        """The status in which the execution ends."""
        states = definition(workflow)
        name = states["StartAt"]
        while True:
            state = states["States"][name]
            match state["Type"]:
                case "Succeed":
                    return "SUCCEEDED"
                case "Fail":
                    return "FAILED"
                case "Choice":
                    name = _chosen(state, data)
                    continue
            try:
                name = self._step(state, data)
            except TaskFailedError:
                return "FAILED"

    def _step(self, state: dict[str, Any], data: dict[str, Any]) -> str:
        """Runs one state; the name of the next."""
        try:
            result = (self._map if state["Type"] == "Map" else self._task)(state, data)
        except TaskFailedError as failure:
            catches = [catch for catch in state.get("Catch", []) if _matches(catch, failure)]
            if not catches:
                raise
            place = catches[0]["ResultPath"].removeprefix("$.")
            data[place] = {"Error": failure.error, "Cause": failure.cause}
            return str(catches[0]["Next"])
        if state["ResultPath"]:
            data[state["ResultPath"].removeprefix("$.")] = result
        return str(state["Next"])

    def _task(self, state: dict[str, Any], data: dict[str, Any]) -> Any:
        event = {
            key.removesuffix(".$"): _at(path, data) for key, path in state["Parameters"].items()
        }
        return self._tried(state, event)

    def _map(self, state: dict[str, Any], data: dict[str, Any]) -> None:
        """Items fail alone: the deployed maps tolerate all of it."""
        assert state["ToleratedFailurePercentage"] == 100
        (task,) = state["ItemProcessor"]["States"].values()
        for item in self.order(_items(state["ItemReader"]["Parameters"], data)):
            event = {
                key.removesuffix(".$"): item if path.startswith("$$") else _at(path, data)
                for key, path in state["ItemSelector"].items()
            }
            try:
                self._tried(task, event)
            except TaskFailedError:
                continue

    def _tried(self, task: dict[str, Any], event: dict[str, Any]) -> Any:
        function = Function(
            task["Resource"].removeprefix("${").removesuffix("FunctionArn}").lower()
        )
        attempts = 0
        while True:
            try:
                answer = self.invoke(function, json.loads(json.dumps(event)))
            except TaskFailedError as failure:
                retriers = [one for one in task.get("Retry", []) if _matches(one, failure)]
                attempts += 1
                if not retriers or attempts > retriers[0]["MaxAttempts"]:
                    raise
            else:
                return json.loads(json.dumps(answer))


def _chosen(state: dict[str, Any], data: dict[str, Any]) -> str:
    for rule in state["Choices"]:
        if all(_holds(test, data) for test in rule.get("And", [rule])):
            return str(rule["Next"])
    return str(state["Default"])


def _holds(test: dict[str, Any], data: dict[str, Any]) -> bool:
    try:
        value = _at(test["Variable"], data)
    except KeyError:
        return test.get("IsPresent") is False
    return "IsPresent" in test or value is test["BooleanEquals"]


@cache
def definition(workflow: Workflow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        Path(infra.__file__).with_name(f"{workflow}.asl.json").read_text()
    )
    return found


def _items(address: dict[str, str], data: dict[str, Any]) -> list[Any]:
    """Raises TaskFailedError if the list cannot be read."""
    place = {key.removesuffix(".$"): _at(path, data) for key, path in address.items()}
    try:
        found: list[Any] = json.loads(boto3.client("s3").get_object(**place)["Body"].read())
    except Exception as error:
        raise TaskFailedError("States.ItemReaderFailed", str(error)) from error
    return found


def _matches(rule: dict[str, Any], failure: TaskFailedError) -> bool:
    return failure.error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def _at(path: str, data: Any) -> Any:
    for name in path.removeprefix("$.").split("."):
        data = data[name]
    return data
