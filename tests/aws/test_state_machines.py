"""Validate the state machines with Step Functions: ValidateStateMachineDefinition and TestState."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from infra.workflows import build_substitutions, read_definition
from twofold.settings import Workflow, make_function_name

FAILURE = {"Error": "ConservationError", "Cause": "The counts of lines differ."}
ROLE = "arn:aws:iam::123456789012:role/none"


def _build_definition(workflow: Workflow) -> dict[str, Any]:
    text = read_definition(workflow)
    prefix = "arn:aws:lambda:us-east-1:123456789012:function"
    for key, arn in build_substitutions(
        workflow,
        lambda function: f"{prefix}:{make_function_name('prod', function)}:1",
        partition="aws",
    ).items():
        text = text.replace(f"${{{key}}}", arn)
    machine: dict[str, Any] = json.loads(text)
    return machine


def _list_tasks() -> Iterator[tuple[Workflow, str]]:
    for workflow in Workflow:
        for name, state in _build_definition(workflow)["States"].items():
            if state["Type"] == "Task" and name != "Abandon":
                yield workflow, name


def _build_validation_request(workflow: Workflow) -> dict[str, Any]:
    return {
        "definition": json.dumps(_build_definition(workflow)),
        "type": "STANDARD",
        "severity": "ERROR",
    }


def _build_failure_request(workflow: Workflow, name: str) -> dict[str, Any]:
    """Return a TestState request in which the function of the state fails."""
    data = {"Operation": {"Id": "none"}, "Plan": {}, "Select": {}, "Resolve": {}, "Merge": {}}
    return {
        "definition": json.dumps(_build_definition(workflow)["States"][name]),
        "roleArn": ROLE,
        "input": json.dumps(data),
        "mock": {"errorOutput": {"error": FAILURE["Error"], "cause": FAILURE["Cause"]}},
    }


@pytest.mark.parametrize("workflow", Workflow)
def test_aws_accepts_every_definition(states: Any, workflow: Workflow) -> None:
    response = states.validate_state_machine_definition(**_build_validation_request(workflow))
    assert response["result"] == "OK", response["diagnostics"]


@pytest.mark.parametrize(("workflow", "name"), list(_list_tasks()))
def test_a_failure_of_any_step_is_caught_and_abandoned(
    states: Any, workflow: Workflow, name: str
) -> None:
    response = states.test_state(**_build_failure_request(workflow, name))
    assert (response["status"], response["nextState"]) == ("CAUGHT_ERROR", "Abandon")
    assert json.loads(response["output"])["Failure"] == FAILURE


def test_the_requests_are_valid_for_the_installed_sdk() -> None:
    """Runs without credentials, and so finds malformed requests everywhere."""
    model: Any = botocore.session.get_session().get_service_model("stepfunctions")
    requests = [
        ("ValidateStateMachineDefinition", _build_validation_request(workflow))
        for workflow in Workflow
    ]
    requests += [
        ("TestState", _build_failure_request(workflow, name)) for workflow, name in _list_tasks()
    ]
    for operation, request in requests:
        shape = model.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors(), operation
