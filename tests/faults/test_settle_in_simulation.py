"""Settle ends or starts every operation within five minutes, for any end of the execution and without an execution."""

import pytest

from tests.faults.faults import Call, Fault
from tests.faults.scenario import Action, Scenario
from tests.faults.simulated_service import SimulatedService
from tests.faults.simulator import MINUTE, FunctionFault, make_end_event
from tests.support.asl_interpreter import load_definition
from twofold.records import DatasetStatus, DatasetType, StatusMessageCode
from twofold.settings import TIMEOUT_SECONDS, Function, Workflow
from twofold.workflow.settle import EXECUTION_MILLISECONDS, START_GRACE_MILLISECONDS

START_ERRORS = ["AccessDeniedException", "StateMachineDoesNotExist", "StateMachineDeleting"]


def claim_without_start(scenario: Scenario, action: Action) -> None:
    """Perform an action, with the API function killed between the claim and the start of the execution."""
    scenario.simulator.fault_injector.choose_fault = lambda call: (
        Fault.KILLED_BEFORE if call.operation == "StartExecution" else None
    )
    assert scenario.perform(action) is None
    scenario.simulator.fault_injector.choose_fault = lambda call: None
    scenario.simulator.scheduler.run()


def read_failure(scenario: Scenario) -> str:
    """Return the status message of the failed training dataset."""
    (train,) = [
        dataset
        for dataset in scenario.invariants.list_datasets()
        if dataset.id.type is DatasetType.TRAIN
    ]
    assert train.status in (DatasetStatus.UPDATE_FAILED, DatasetStatus.CREATE_FAILED)
    assert train.status_message_code is StatusMessageCode.SERVICE_ERROR
    return train.status_message


@pytest.mark.parametrize("action", [Action.CREATE, Action.DISTRIBUTE, Action.UPDATE])
def test_a_claim_without_an_execution_is_started(service: SimulatedService, action: Action) -> None:
    with service.start_scenario(action) as scenario:
        claim_without_start(scenario, action)
        assert scenario.settle() <= 2
        assert scenario.read_statuses()[DatasetType.TRAIN].endswith("COMPLETE")


@pytest.mark.parametrize("reason", START_ERRORS)
@pytest.mark.parametrize("action", [Action.CREATE, Action.DISTRIBUTE, Action.UPDATE])
def test_a_claim_that_cannot_be_started_ends_as_failed(
    service: SimulatedService, action: Action, reason: str
) -> None:
    """Step Functions rejects every execution, for example without a log group."""
    with service.start_scenario(action) as scenario:
        before = scenario.invariants.list_lines()
        claim_without_start(scenario, action)
        scenario.simulator.start_error = reason
        assert scenario.settle() <= 4
        assert f"could not be started; nothing was changed. Try again. ({reason})" in read_failure(
            scenario
        )
        assert scenario.invariants.list_lines() == before
        scenario.simulator.start_error = ""
        scenario.retry(action)


@pytest.mark.parametrize("reason", START_ERRORS)
@pytest.mark.parametrize("action", [Action.CREATE, Action.DISTRIBUTE, Action.UPDATE])
def test_a_rejected_start_fails_the_call(
    service: SimulatedService, action: Action, reason: str
) -> None:
    with service.start_scenario(action) as scenario:
        scenario.simulator.start_error = reason
        response = scenario.perform(action)
        assert response
        assert response["__type"] == "InternalServerError"
        assert scenario.settle() == 0
        scenario.simulator.start_error = ""
        scenario.retry(action)


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_an_aborted_execution_ends_its_operation(service: SimulatedService, status: str) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        scenario.perform(Action.DISTRIBUTE)
        (execution,) = scenario.simulator.executions.values()
        scenario.simulator.abort_execution(execution, status)
        scenario.simulator.scheduler.run()
        assert scenario.settle() == 0, "The event is sufficient."
        assert "nothing was changed" in read_failure(scenario)
        scenario.retry(Action.DISTRIBUTE)


def test_the_event_ends_an_operation_whose_abandon_state_fails(service: SimulatedService) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:

        def choose_fault(call: Call) -> Fault | None:
            return Fault.DENIED if call.process in ("select", "abandon") else None

        scenario.simulator.fault_injector.choose_fault = choose_fault
        scenario.perform(Action.DISTRIBUTE)
        scenario.simulator.scheduler.run()
        assert scenario.settle() == 0
        assert "(ExecutionEnded)" in read_failure(scenario)


def test_a_function_that_is_always_throttled_fails_its_operation(
    service: SimulatedService,
) -> None:
    with service.start_scenario(Action.UPDATE) as scenario:
        scenario.simulator.choose_function_fault = lambda function: (
            FunctionFault.THROTTLED if function is Function.MERGE else None
        )
        scenario.perform(Action.UPDATE)
        scenario.simulator.scheduler.run()
        assert scenario.settle() == 0
        assert "(Lambda.TooManyRequestsException)" in read_failure(scenario)


DESCRIBE_FAULTS = [Fault.DENIED, Fault.THROTTLING]


def fail_descriptions(scenario: Scenario, fault: Fault = Fault.DENIED) -> None:
    """Let every DescribeExecution fail."""
    scenario.simulator.fault_injector.choose_fault = lambda call: (
        fault if call.operation == "DescribeExecution" else None
    )


def run_settle(scenario: Scenario, minutes: int) -> None:
    for _ in range(minutes):
        scenario.simulator.advance_clock(MINUTE)
        scenario.simulator.settle()


@pytest.mark.parametrize("fault", DESCRIBE_FAULTS)
@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_the_event_ends_an_operation_whose_execution_cannot_be_described(
    service: SimulatedService, status: str, fault: Fault
) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        fail_descriptions(scenario, fault)
        scenario.perform(Action.DISTRIBUTE)
        (execution,) = scenario.simulator.executions.values()
        scenario.simulator.abort_execution(execution, status)
        scenario.simulator.scheduler.run()
        assert "(ExecutionEnded)" in read_failure(scenario)
        assert scenario.settle() == 0
        scenario.retry(Action.DISTRIBUTE)


@pytest.mark.parametrize("fault", DESCRIBE_FAULTS)
@pytest.mark.parametrize("action", [Action.CREATE, Action.DISTRIBUTE, Action.UPDATE])
def test_a_claim_is_started_even_if_executions_cannot_be_described(
    service: SimulatedService, action: Action, fault: Fault
) -> None:
    with service.start_scenario(action) as scenario:
        claim_without_start(scenario, action)
        fail_descriptions(scenario, fault)
        run_settle(scenario, 2)
        scenario.simulator.scheduler.run()
        assert scenario.read_statuses()[DatasetType.TRAIN].endswith("COMPLETE")
        assert scenario.settle() == 0


@pytest.mark.parametrize("fault", DESCRIBE_FAULTS)
def test_a_running_execution_that_cannot_be_described_continues(
    service: SimulatedService, fault: Fault
) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        scenario.perform(Action.DISTRIBUTE)
        fail_descriptions(scenario, fault)
        run_settle(scenario, 60)
        assert scenario.read_statuses()[DatasetType.TRAIN] is DatasetStatus.UPDATE_IN_PROGRESS
        assert len(scenario.simulator.executions) == 1
        scenario.simulator.scheduler.run()
        assert scenario.read_statuses()[DatasetType.TRAIN] is DatasetStatus.UPDATE_COMPLETE
        assert scenario.settle() == 0


def test_the_end_of_one_execution_ends_no_other_operation(service: SimulatedService) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        scenario.perform(Action.DISTRIBUTE)
        (execution,) = scenario.simulator.executions.values()
        account, _, name = execution.arn.rpartition(":")
        for arn in (f"{account}-of-another-service:{name}", f"{account}:{'0' * 32}"):
            scenario.simulator.settle(make_end_event(arn, "FAILED"))
        scenario.simulator.settle(make_end_event(execution.arn, "RUNNING"))
        scenario.simulator.scheduler.run()
        assert scenario.read_statuses()[DatasetType.TRAIN] is DatasetStatus.UPDATE_COMPLETE


def test_an_operation_that_can_be_neither_described_nor_started_ends_when_no_execution_can_run(
    service: SimulatedService,
) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        claim_without_start(scenario, Action.DISTRIBUTE)
        fail_descriptions(scenario)
        scenario.simulator.start_error = "AccessDeniedException"
        run_settle(scenario, 60)
        assert scenario.read_statuses()[DatasetType.TRAIN] is DatasetStatus.UPDATE_IN_PROGRESS
        scenario.simulator.advance_clock(EXECUTION_MILLISECONDS + 5 * MINUTE)
        scenario.simulator.settle()
        assert "(AccessDeniedException)" in read_failure(scenario)


@pytest.mark.parametrize("workflow", list(Workflow))
def test_settle_knows_the_longest_duration_of_an_execution(workflow: Workflow) -> None:
    assert load_definition(workflow)["TimeoutSeconds"] * 1000 == EXECUTION_MILLISECONDS
    assert 2 * TIMEOUT_SECONDS[Function.API] * 1000 <= START_GRACE_MILLISECONDS
