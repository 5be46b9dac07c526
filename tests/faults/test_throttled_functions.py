"""Operations wait and complete while the account has no free concurrent executions."""

from collections import Counter

import pytest

from infra.workflows import STEPS
from tests.faults.scenario import Action
from tests.faults.simulated_service import SimulatedService
from tests.faults.simulator import FunctionFault
from twofold.records import DatasetType
from twofold.settings import Function, Workflow

OPERATIONS = [Action.CREATE, Action.DISTRIBUTE, Action.DISTRIBUTE_GROUPS, Action.UPDATE]
MINUTES_OF_ATTEMPTS = 200
"""A worker attempt takes one second on average."""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_completes_though_each_function_is_throttled_for_minutes(
    service: SimulatedService, operation: Action
) -> None:
    with service.start_scenario(operation) as scenario:
        throttled: Counter[Function] = Counter()

        def throttle(function: Function) -> FunctionFault | None:
            throttled[function] += 1
            return (
                FunctionFault.THROTTLED if throttled[function] % (MINUTES_OF_ATTEMPTS + 1) else None
            )

        scenario.simulator.choose_function_fault = throttle
        scenario.perform(operation)
        scenario.simulator.scheduler.run()
        assert scenario.settle() == 0
        assert scenario.read_statuses()[DatasetType.TRAIN].endswith("COMPLETE")
        assert min(throttled.values()) > MINUTES_OF_ATTEMPTS
        assert len(throttled) >= 3


@pytest.mark.parametrize("function", [Function.INDEX, Function.RESOLVE, Function.PUBLISH])
def test_a_function_that_stays_throttled_fails_its_operation_which_can_be_repeated(
    service: SimulatedService, function: Function
) -> None:
    assert function in STEPS[Workflow.INGEST]
    with service.start_scenario(Action.CREATE) as scenario:
        scenario.simulator.choose_function_fault = lambda name: (
            FunctionFault.THROTTLED if name is function else None
        )
        scenario.perform(Action.CREATE)
        scenario.simulator.scheduler.run()
        assert scenario.settle() == 0
        assert scenario.read_statuses()[DatasetType.TRAIN] == "CREATE_FAILED"
        scenario.simulator.choose_function_fault = lambda name: None
        scenario.retry(Action.CREATE)
