import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.options import Options
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
}
THROTTLED = "Lambda.TooManyRequestsException"
UNREAD = "States.ItemReaderFailed"
FAULT_RETRY = {
    "IntervalSeconds": 1,
    "MaxAttempts": 6,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}
STEP_RETRY = FAULT_RETRY | {"MaxAttempts": 350, "MaxDelaySeconds": 5}
"""Of a throttled step: for a quarter of an hour (tests/bench/test_throttling.py)."""
WORKER_RETRY = FAULT_RETRY | {"MaxAttempts": 230, "MaxDelaySeconds": 2}
"""Of a throttled worker: for four of the five minutes that its EXPRESS execution lives."""

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
    """With the default of `workers`, which is the number in the file."""
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
    assert names <= LAMBDA_FAULTS | {THROTTLED, UNREAD, "States.ALL"} | ours


def _tasks(machine: dict[str, Any], *, inside: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """(name, state, whether it is inside of a Map) of every Task."""
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state, inside
        elif state["Type"] != "Map":
            assert "Retry" not in state, name
        if "ItemProcessor" in state:
            yield from _tasks(state["ItemProcessor"], inside=True)


def _retry_of(state: dict[str, Any], error: str) -> dict[str, Any]:
    """The one rule that names an error, without the errors that it names."""
    (rule,) = (rule for rule in state["Retry"] if error in rule["ErrorEquals"])
    return {key: value for key, value in rule.items() if key != "ErrorEquals"}


@every_workflow
def test_every_task_retries_each_fault_of_lambda_by_the_same_policy(
    template: Synthesized, workflow: Workflow
) -> None:
    for name, state, _ in _tasks(template.definition(workflow)):
        for fault in LAMBDA_FAULTS:
            assert _retry_of(state, fault) == FAULT_RETRY, name


@every_workflow
def test_a_throttled_task_tries_again_by_a_policy_of_its_own(
    template: Synthesized, workflow: Workflow
) -> None:
    """Attempts that other errors take would not be left for it."""
    for name, state, inside in _tasks(template.definition(workflow)):
        assert {"ErrorEquals": [THROTTLED]} | _retry_of(state, THROTTLED) in state["Retry"], name
        assert _retry_of(state, THROTTLED) == (WORKER_RETRY if inside else STEP_RETRY), name


@every_workflow
def test_a_busy_store_is_waited_for_for_a_minute_at_least_on_average(
    template: Synthesized, workflow: Workflow
) -> None:
    for name, state, _ in _tasks(template.definition(workflow)):
        retry = _retry_of(state, StoreBusyError.__name__)
        waits = [
            min(
                retry["MaxDelaySeconds"], retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt
            )
            for attempt in range(retry["MaxAttempts"])
        ]
        assert sum(waits) / 2 >= 60, name


@every_workflow
def test_a_map_whose_list_cannot_be_read_waits_as_for_a_busy_store(
    template: Synthesized, workflow: Workflow
) -> None:
    """Step Functions reads it, and no worker has started."""
    machine = template.definition(workflow)
    _, task, _ = next(_tasks(machine))
    for name, state in _maps(template, workflow).items():
        assert state["Retry"] == [
            {"ErrorEquals": [UNREAD]} | _retry_of(task, StoreBusyError.__name__)
        ], name


@every_workflow
def test_nothing_else_is_retried(template: Synthesized, workflow: Workflow) -> None:
    for name, state, _ in _tasks(template.definition(workflow)):
        names = [error for rule in state["Retry"] for error in rule["ErrorEquals"]]
        assert sorted(names) == sorted({*LAMBDA_FAULTS, THROTTLED, StoreBusyError.__name__}), name


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
        assert state["MaxConcurrency"] == Options().workers
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
