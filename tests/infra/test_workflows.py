import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.options import Options
from infra.workflows import STEPS, read_definition
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold import errors
from twofold.settings import Workflow, make_function_name
from twofold.stores.aws_errors import StoreBusyError

LAMBDA_FAULTS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
}
THROTTLED = "Lambda.TooManyRequestsException"
ITEM_READER_FAILED = "States.ItemReaderFailed"
FAULT_RETRY = {
    "IntervalSeconds": 1,
    "MaxAttempts": 6,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}
STEP_RETRY = FAULT_RETRY | {"MaxAttempts": 350, "MaxDelaySeconds": 5}
"""Retries of a throttled step for a quarter of an hour (tests/bench/test_throttling.py)."""
WORKER_RETRY = FAULT_RETRY | {"MaxAttempts": 230, "MaxDelaySeconds": 2}
"""Retries of a throttled worker for four minutes; its EXPRESS execution is limited to five."""

every_workflow = pytest.mark.parametrize("workflow", Workflow)


def _walk_states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every state, including the states in Maps."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _walk_states(state["ItemProcessor"])


def _select_maps(template: SynthesizedTemplate, workflow: Workflow) -> dict[str, dict[str, Any]]:
    states = template.parse_definition(workflow)["States"].items()
    return {name: state for name, state in states if state["Type"] == "Map"}


@every_workflow
def test_the_definition_equals_the_file(template: SynthesizedTemplate, workflow: Workflow) -> None:
    """The default of `workers` is the number in the file."""
    assert template.state_machines[workflow]["DefinitionString"] == read_definition(workflow)


@every_workflow
def test_every_state_has_a_comment_of_one_sentence(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    machine = template.parse_definition(workflow)
    comments = [machine["Comment"], *(state["Comment"] for _, state in _walk_states(machine))]
    assert all(re.fullmatch(r"[A-Z][^.]+\.", comment) for comment in comments), comments


@every_workflow
def test_every_error_name_belongs_to_aws_or_to_twofold(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    rules = [
        rule
        for _, state in _walk_states(template.parse_definition(workflow))
        for rule in state.get("Retry", []) + state.get("Catch", [])
    ]
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    ours.add(StoreBusyError.__name__)
    names = {name for rule in rules for name in rule["ErrorEquals"]}
    assert names <= LAMBDA_FAULTS | {THROTTLED, ITEM_READER_FAILED, "States.ALL"} | ours


def _walk_tasks(
    machine: dict[str, Any], *, inside: bool = False
) -> Iterator[tuple[str, Any, bool]]:
    """Yield (name, state, whether in a Map) of every Task."""
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state, inside
        elif state["Type"] != "Map":
            assert "Retry" not in state, name
        if "ItemProcessor" in state:
            yield from _walk_tasks(state["ItemProcessor"], inside=True)


def _get_retry_rule(state: dict[str, Any], error: str) -> dict[str, Any]:
    """Return the retry rule of an error, without its member ErrorEquals."""
    (rule,) = (rule for rule in state["Retry"] if error in rule["ErrorEquals"])
    return {key: value for key, value in rule.items() if key != "ErrorEquals"}


@every_workflow
def test_every_task_retries_each_fault_of_lambda_by_the_same_policy(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for name, state, _ in _walk_tasks(template.parse_definition(workflow)):
        for fault in LAMBDA_FAULTS:
            assert _get_retry_rule(state, fault) == FAULT_RETRY, name


@every_workflow
def test_a_throttled_task_has_its_own_retry_policy(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    """Otherwise other errors would use up its attempts."""
    for name, state, inside in _walk_tasks(template.parse_definition(workflow)):
        assert {"ErrorEquals": [THROTTLED]} | _get_retry_rule(state, THROTTLED) in state["Retry"], (
            name
        )
        assert _get_retry_rule(state, THROTTLED) == (WORKER_RETRY if inside else STEP_RETRY), name


@every_workflow
def test_a_task_retries_a_busy_store_for_at_least_a_minute_on_average(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for name, state, _ in _walk_tasks(template.parse_definition(workflow)):
        retry = _get_retry_rule(state, StoreBusyError.__name__)
        waits = [
            min(
                retry["MaxDelaySeconds"], retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt
            )
            for attempt in range(retry["MaxAttempts"])
        ]
        assert sum(waits) / 2 >= 60, name


@every_workflow
def test_a_map_retries_an_unreadable_list_like_a_busy_store(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    """Step Functions reads the list before any worker starts."""
    machine = template.parse_definition(workflow)
    _, task, _ = next(_walk_tasks(machine))
    for name, state in _select_maps(template, workflow).items():
        assert state["Retry"] == [
            {"ErrorEquals": [ITEM_READER_FAILED]} | _get_retry_rule(task, StoreBusyError.__name__)
        ], name


@every_workflow
def test_nothing_else_is_retried(template: SynthesizedTemplate, workflow: Workflow) -> None:
    for name, state, _ in _walk_tasks(template.parse_definition(workflow)):
        names = [error for rule in state["Retry"] for error in rule["ErrorEquals"]]
        assert sorted(names) == sorted({*LAMBDA_FAULTS, THROTTLED, StoreBusyError.__name__}), name


@every_workflow
def test_every_failure_is_abandoned_and_then_fails(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    states = template.parse_definition(workflow)["States"]
    caught = {name for name, state in states.items() if state["Type"] in ("Task", "Map")}
    for name in caught - {"Abandon"}:
        assert states[name]["Catch"] == [
            {"ErrorEquals": ["States.ALL"], "ResultPath": "$.Failure", "Next": "Abandon"}
        ], name
    assert states["Abandon"]["Next"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"
    assert all("End" not in state for state in states.values())


def _find_planners(states: dict[str, Any], name: str) -> list[str]:
    """Return the Task and Map states before a state, directly or through a Choice."""
    planners = []
    for other, state in states.items():
        if state.get("Next") == name:
            planners.append(other)
        elif state.get("Default") == name:
            planners += _find_planners(states, other)
    return planners


@every_workflow
def test_maps_read_the_list_of_their_planner(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    states = template.parse_definition(workflow)["States"]
    for name, state in _select_maps(template, workflow).items():
        (planner,) = _find_planners(states, name)
        assert states[planner]["ResultPath"] == f"$.{planner}"
        assert state["ItemReader"]["Parameters"] == {
            "Bucket.$": f"$.{planner}.Shards.Bucket",
            "Key.$": f"$.{planner}.Shards.Key",
        }
        assert state["ItemSelector"]["Plan.$"] == f"$.{planner}"


@every_workflow
def test_maps_run_express_children_within_one_limit_and_keep_no_results(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for state in _select_maps(template, workflow).values():
        processor = state["ItemProcessor"]
        assert processor["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
        assert state["MaxConcurrency"] == Options().workers
        assert state["ResultPath"] is None
        (task,) = processor["States"].values()
        assert task["ResultSelector"] == {}, (
            "results of all shards together must stay below 256 KiB"
        )


@every_workflow
def test_the_state_after_a_map_handles_its_failures(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for name, state in _select_maps(template, workflow).items():
        assert state["ToleratedFailurePercentage"] == 100, name
        assert state["Next"] in ("Resolve", "Select", "Publish"), name


@every_workflow
def test_each_task_is_the_function_of_its_name(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    functions = template.resolve_substitutions(workflow)
    assert set(functions.values()) == {make_function_name("prod", step) for step in STEPS[workflow]}
    for name, state in _walk_states(template.parse_definition(workflow)):
        if state["Type"] == "Task":
            key = state["Resource"].removeprefix("${").removesuffix("}")
            step = name.removesuffix("Shard")
            assert functions[key] == f"twofold-prod-{step.lower()}"


@every_workflow
def test_state_machines_trace_time_out_and_log_errors_without_data(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    machine = template.state_machines[workflow]
    assert machine.get("StateMachineType", "STANDARD") == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert 0 < template.parse_definition(workflow)["TimeoutSeconds"] <= 2 * 60 * 60
