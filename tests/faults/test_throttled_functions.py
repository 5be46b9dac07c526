"""An account whose concurrent executions are used up for a while: operations wait and complete."""

from collections import Counter

import pytest

from infra.workflows import STEPS
from tests.faults.scene import Job, Stage
from tests.faults.theatre import Mishap
from twofold.records import DatasetType
from twofold.settings import Function, Workflow

OPERATIONS = [Job.CREATE, Job.DISTRIBUTE, Job.GROUPED, Job.UPDATE]
MINUTES_OF_ATTEMPTS = 200
"""A worker's attempt takes a second on average."""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_completes_though_each_function_is_throttled_for_minutes(
    the_stage: Stage, operation: Job
) -> None:
    with the_stage.scene(operation) as scene:
        refused: Counter[Function] = Counter()

        def throttle(function: Function) -> Mishap | None:
            refused[function] += 1
            return Mishap.THROTTLED if refused[function] % (MINUTES_OF_ATTEMPTS + 1) else None

        scene.theatre.mishap = throttle
        scene.do(operation)
        scene.theatre.company.play()
        assert scene.rest() == 0
        assert scene.statuses()[DatasetType.TRAIN].endswith("COMPLETE")
        assert min(refused.values()) > MINUTES_OF_ATTEMPTS
        assert len(refused) >= 3


@pytest.mark.parametrize("function", [Function.INDEX, Function.RESOLVE, Function.PUBLISH])
def test_a_function_that_stays_throttled_fails_its_operation_which_can_be_repeated(
    the_stage: Stage, function: Function
) -> None:
    assert function in STEPS[Workflow.INGEST]
    with the_stage.scene(Job.CREATE) as scene:
        scene.theatre.mishap = lambda name: Mishap.THROTTLED if name is function else None
        scene.do(Job.CREATE)
        scene.theatre.company.play()
        assert scene.rest() == 0
        assert scene.statuses()[DatasetType.TRAIN] == "CREATE_FAILED"
        scene.theatre.mishap = lambda name: None
        scene.again(Job.CREATE)
