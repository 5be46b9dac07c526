"""An interpreter of the deployed ASL files: runs tasks, maps, retries and catches in this process as Step Functions does.

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
    """A failed task, with the error name of the state machine and a text as the cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


def describe_exception(error: Exception) -> TaskFailedError:
    """Return the task failure that Lambda reports for the exception of a handler."""
    name = type(error).__name__
    return TaskFailedError(name, json.dumps({"errorMessage": str(error), "errorType": name}))


@dataclass(frozen=True, slots=True)
class StateMachine:
    """Runs the workflows. `order` sorts the items of a Distributed Map; items are independent."""

    invoke: Invoke
    order: Callable[[list[Any]], list[Any]] = list

    def run(self, workflow: Workflow, data: dict[str, Any]) -> str:
        """Run an execution and return the final status."""
        states = load_definition(workflow)
        name = states["StartAt"]
        while True:
            state = states["States"][name]
            match state["Type"]:
                case "Succeed":
                    return "SUCCEEDED"
                case "Fail":
                    return "FAILED"
                case "Choice":
                    name = _choose_next(state, data)
                    continue
            try:
                name = self._run_state(state, data)
            except TaskFailedError:
                return "FAILED"

    def _run_state(self, state: dict[str, Any], data: dict[str, Any]) -> str:
        """Run a state and return the name of the next state."""
        try:
            result = (self._run_map if state["Type"] == "Map" else self._run_task)(state, data)
        except TaskFailedError as failure:
            catches = [catch for catch in state.get("Catch", []) if _match_error(catch, failure)]
            if not catches:
                raise
            key = catches[0]["ResultPath"].removeprefix("$.")
            data[key] = {"Error": failure.error, "Cause": failure.cause}
            return str(catches[0]["Next"])
        if state["ResultPath"]:
            data[state["ResultPath"].removeprefix("$.")] = result
        return str(state["Next"])

    def _run_task(self, state: dict[str, Any], data: dict[str, Any]) -> Any:
        event = {
            key.removesuffix(".$"): _resolve_path(path, data)
            for key, path in state["Parameters"].items()
        }
        return self._invoke_with_retries(state, event)

    def _run_map(self, state: dict[str, Any], data: dict[str, Any]) -> None:
        """Run the items of a map. The deployed maps tolerate failed items."""
        assert state["ToleratedFailurePercentage"] == 100
        (task,) = state["ItemProcessor"]["States"].values()
        for item in self.order(_read_items(state["ItemReader"]["Parameters"], data)):
            event = {
                key.removesuffix(".$"): item if path.startswith("$$") else _resolve_path(path, data)
                for key, path in state["ItemSelector"].items()
            }
            try:
                self._invoke_with_retries(task, event)
            except TaskFailedError:
                continue

    def _invoke_with_retries(self, task: dict[str, Any], event: dict[str, Any]) -> Any:
        function = Function(
            task["Resource"].removeprefix("${").removesuffix("FunctionArn}").lower()
        )
        attempts = 0
        while True:
            try:
                answer = self.invoke(function, json.loads(json.dumps(event)))
            except TaskFailedError as failure:
                retriers = [rule for rule in task.get("Retry", []) if _match_error(rule, failure)]
                attempts += 1
                if not retriers or attempts > retriers[0]["MaxAttempts"]:
                    raise
            else:
                return json.loads(json.dumps(answer))


def _choose_next(state: dict[str, Any], data: dict[str, Any]) -> str:
    for rule in state["Choices"]:
        if all(_evaluate_rule(test, data) for test in rule.get("And", [rule])):
            return str(rule["Next"])
    return str(state["Default"])


def _evaluate_rule(test: dict[str, Any], data: dict[str, Any]) -> bool:
    try:
        value = _resolve_path(test["Variable"], data)
    except KeyError:
        return test.get("IsPresent") is False
    return "IsPresent" in test or value is test["BooleanEquals"]


@cache
def load_definition(workflow: Workflow) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(
        Path(infra.__file__).with_name(f"{workflow}.asl.json").read_text()
    )
    return definition


def _read_items(address: dict[str, str], data: dict[str, Any]) -> list[Any]:
    """Read the items of a map. Raises TaskFailedError if the list cannot be read."""
    location = {key.removesuffix(".$"): _resolve_path(path, data) for key, path in address.items()}
    try:
        items: list[Any] = json.loads(boto3.client("s3").get_object(**location)["Body"].read())
    except Exception as error:
        raise TaskFailedError("States.ItemReaderFailed", str(error)) from error
    return items


def _match_error(rule: dict[str, Any], failure: TaskFailedError) -> bool:
    return failure.error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def _resolve_path(path: str, data: Any) -> Any:
    for name in path.removeprefix("$.").split("."):
        data = data[name]
    return data
