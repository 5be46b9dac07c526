import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.workflows import STEPS, definition
from tests.infra.synthesized import Synthesized
from twofold import errors
from twofold.settings import Workflow, function_name
from twofold.stores.failures import StoreBusyError

LAMBDA_FAULTS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
}

every_workflow = pytest.mark.parametrize("workflow", Workflow)


def _states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, those inside of maps too."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def _maps(template: Synthesized, workflow: Workflow) -> dict[str, dict[str, Any]]:
    states = template.definition(workflow)["States"].items()
    return {name: state for name, state in states if state["Type"] == "Map"}


@every_workflow
def test_the_definition_is_the_file_letter_by_letter(
    template: Synthesized, workflow: Workflow
) -> None:
    assert template.machines[workflow]["DefinitionString"] == definition(workflow)


@every_workflow
def test_every_state_says_in_one_sentence_what_it_does(
    template: Synthesized, workflow: Workflow
) -> None:
    machine = template.definition(workflow)
    comments = [machine["Comment"], *(state["Comment"] for _, state in _states(machine))]
    assert all(re.fullmatch(r"[A-Z][^.]+\.", comment) for comment in comments), comments


@every_workflow
def test_every_error_name_is_of_aws_or_a_class_of_ours(
    template: Synthesized, workflow: Workflow
) -> None:
    rules = [
        rule
        for _, state in _states(template.definition(workflow))
        for rule in state.get("Retry", []) + state.get("Catch", [])
    ]
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    ours.add(StoreBusyError.__name__)
    names = {name for rule in rules for name in rule["ErrorEquals"]}
    assert names <= LAMBDA_FAULTS | {"States.ALL"} | ours


@every_workflow
def test_every_task_retries_faults_of_lambda_and_busy_stores_and_nothing_else(
    template: Synthesized, workflow: Workflow
) -> None:
    for name, state in _states(template.definition(workflow)):
        if state["Type"] != "Task":
            assert "Retry" not in state, name
            continue
        names = [name for retry in state["Retry"] for name in retry["ErrorEquals"]]
        assert sorted(names) == sorted({*LAMBDA_FAULTS, StoreBusyError.__name__}), name
        for retry in state["Retry"]:
            assert retry["JitterStrategy"] == "FULL", name
            explicit = ("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds")
            assert all(retry[number] > 0 for number in explicit), name


@every_workflow
def test_a_busy_store_is_waited_for_for_a_minute_at_least_on_average(
    template: Synthesized, workflow: Workflow
) -> None:
    for name, state in _states(template.definition(workflow)):
        for retry in state.get("Retry", []):
            if StoreBusyError.__name__ in retry["ErrorEquals"]:
                waits = [
                    min(
                        retry["MaxDelaySeconds"],
                        retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt,
                    )
                    for attempt in range(retry["MaxAttempts"])
                ]
                assert sum(waits) / 2 >= 60, name


@every_workflow
def test_every_failure_is_abandoned_and_then_fails(
    template: Synthesized, workflow: Workflow
) -> None:
    states = template.definition(workflow)["States"]
    caught = {name for name, state in states.items() if state["Type"] in ("Task", "Map")}
    for name in caught - {"Abandon"}:
        assert states[name]["Catch"] == [
            {"ErrorEquals": ["States.ALL"], "ResultPath": "$.Failure", "Next": "Abandon"}
        ], name
    assert states["Abandon"]["Next"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"
    assert all("End" not in state for state in states.values())


def _before(states: dict[str, Any], name: str) -> list[str]:
    """The working states that lead to a state, directly or by a choice."""
    found = []
    for other, state in states.items():
        if state.get("Next") == name:
            found.append(other)
        elif state.get("Default") == name:
            found += _before(states, other)
    return found


@every_workflow
def test_maps_read_the_list_that_their_planner_wrote(
    template: Synthesized, workflow: Workflow
) -> None:
    states = template.definition(workflow)["States"]
    for name, state in _maps(template, workflow).items():
        (planner,) = _before(states, name)
        assert states[planner]["ResultPath"] == f"$.{planner}"
        assert state["ItemReader"]["Parameters"] == {
            "Bucket.$": f"$.{planner}.Shards.Bucket",
            "Key.$": f"$.{planner}.Shards.Key",
        }
        assert state["ItemSelector"]["Plan.$"] == f"$.{planner}"


@every_workflow
def test_maps_run_express_children_within_one_limit_and_keep_no_results(
    template: Synthesized, workflow: Workflow
) -> None:
    for state in _maps(template, workflow).values():
        processor = state["ItemProcessor"]
        assert processor["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
        assert state["MaxConcurrency"] == 40
        assert state["ResultPath"] is None
        (task,) = processor["States"].values()
        assert task["ResultSelector"] == {}, (
            "results of all shards together must stay below 256 KiB"
        )


@every_workflow
def test_what_follows_a_map_judges_its_failures_whatever_the_interpreter_makes_of_them(
    template: Synthesized, workflow: Workflow
) -> None:
    for name, state in _maps(template, workflow).items():
        assert state["ToleratedFailurePercentage"] == 100, name
        assert state["Next"] in ("Resolve", "Select", "Publish"), name


@every_workflow
def test_each_task_is_the_function_of_its_name(template: Synthesized, workflow: Workflow) -> None:
    functions = template.substituted(workflow)
    assert set(functions.values()) == {function_name("prod", step) for step in STEPS[workflow]}
    for name, state in _states(template.definition(workflow)):
        if state["Type"] == "Task":
            key = state["Resource"].removeprefix("${").removesuffix("}")
            step = name.removesuffix("Shard")
            assert functions[key] == f"twofold-prod-{step.lower()}"


@every_workflow
def test_state_machines_trace_time_out_and_log_errors_without_data(
    template: Synthesized, workflow: Workflow
) -> None:
    machine = template.machines[workflow]
    assert machine.get("StateMachineType", "STANDARD") == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert 0 < template.definition(workflow)["TimeoutSeconds"] <= 2 * 60 * 60
