"""The state machines as Step Functions itself judges them: ValidateStateMachineDefinition and TestState."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from infra.workflows import definition, substitutions
from twofold.settings import Workflow, function_name

FAILURE = {"Error": "ConservationError", "Cause": "The pieces do not add up."}
ROLE = "arn:aws:iam::123456789012:role/none"


def _definition(workflow: Workflow) -> dict[str, Any]:
    text = definition(workflow)
    prefix = "arn:aws:lambda:us-east-1:123456789012:function"
    for key, arn in substitutions(
        workflow,
        lambda function: f"{prefix}:{function_name('prod', function)}:1",
        partition="aws",
    ).items():
        text = text.replace(f"${{{key}}}", arn)
    machine: dict[str, Any] = json.loads(text)
    return machine


def _tasks() -> Iterator[tuple[Workflow, str]]:
    for workflow in Workflow:
        for name, state in _definition(workflow)["States"].items():
            if state["Type"] == "Task" and name != "Abandon":
                yield workflow, name


def _validation(workflow: Workflow) -> dict[str, Any]:
    return {
        "definition": json.dumps(_definition(workflow)),
        "type": "STANDARD",
        "severity": "ERROR",
    }


def _failing(workflow: Workflow, name: str) -> dict[str, Any]:
    """The state, with a function that fails as Publish may."""
    data = {"Operation": {"Id": "none"}, "Plan": {}, "Select": {}, "Resolve": {}, "Merge": {}}
    return {
        "definition": json.dumps(_definition(workflow)["States"][name]),
        "roleArn": ROLE,
        "input": json.dumps(data),
        "mock": {"errorOutput": {"error": FAILURE["Error"], "cause": FAILURE["Cause"]}},
    }


@pytest.mark.parametrize("workflow", Workflow)
def test_aws_finds_no_fault_in_a_definition(states: Any, workflow: Workflow) -> None:
    answer = states.validate_state_machine_definition(**_validation(workflow))
    assert answer["result"] == "OK", answer["diagnostics"]


@pytest.mark.parametrize(("workflow", "name"), list(_tasks()))
def test_a_failure_of_any_step_is_caught_and_abandoned(
    states: Any, workflow: Workflow, name: str
) -> None:
    answer = states.test_state(**_failing(workflow, name))
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Abandon")
    assert json.loads(answer["output"])["Failure"] == FAILURE


def test_what_would_be_asked_is_what_the_installed_sdk_knows() -> None:
    """Runs everywhere: a request that is not well formed would only be found by those who have credentials."""
    model: Any = botocore.session.get_session().get_service_model("stepfunctions")
    asked = [("ValidateStateMachineDefinition", _validation(workflow)) for workflow in Workflow]
    asked += [("TestState", _failing(workflow, name)) for workflow, name in _tasks()]
    for operation, request in asked:
        shape = model.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors(), operation
