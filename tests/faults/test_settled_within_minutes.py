"""Nothing hangs: whatever ends or never begins an execution, its datasets are settled within five minutes, with a reason."""

import pytest

from tests.faults.outside import Call, Fault
from tests.faults.scene import Job, Scene, Stage
from tests.faults.theatre import MINUTE, Mishap, ended
from tests.machine import definition
from twofold.records import DatasetType, Status, StatusCode
from twofold.settings import TIMEOUT_SECONDS, Function, Workflow
from twofold.workflow.end import EXECUTION_MILLISECONDS, START_GRACE_MILLISECONDS

CANNOT_START = ["AccessDeniedException", "StateMachineDoesNotExist", "StateMachineDeleting"]


def begun(scene: Scene, job: Job) -> None:
    """A call whose function dies between its claim and its start."""
    scene.theatre.outside.plan = lambda call: (
        Fault.KILLED_BEFORE if call.operation == "StartExecution" else None
    )
    assert scene.do(job) is None
    scene.theatre.outside.plan = lambda call: None
    scene.theatre.company.play()


def failure(scene: Scene) -> str:
    """The reason that every dataset in the project's training slot gives."""
    (train,) = [one for one in scene.witness.datasets() if one.id.type is DatasetType.TRAIN]
    assert train.status in (Status.UPDATE_FAILED, Status.CREATE_FAILED)
    assert train.status_message_code is StatusCode.SERVICE_ERROR
    return train.status_message


@pytest.mark.parametrize("job", [Job.CREATE, Job.DISTRIBUTE, Job.UPDATE])
def test_a_claim_that_was_never_started_is_started(the_stage: Stage, job: Job) -> None:
    with the_stage.scene(job) as scene:
        begun(scene, job)
        assert scene.rest() <= 2
        assert scene.statuses()[DatasetType.TRAIN].endswith("COMPLETE")


@pytest.mark.parametrize("reason", CANNOT_START)
@pytest.mark.parametrize("job", [Job.CREATE, Job.DISTRIBUTE, Job.UPDATE])
def test_a_claim_that_cannot_be_started_is_given_up(
    the_stage: Stage, job: Job, reason: str
) -> None:
    """As when the log group of a state machine was deleted: Step Functions refuses every execution."""
    with the_stage.scene(job) as scene:
        before = scene.witness.lines()
        begun(scene, job)
        scene.theatre.refusal = reason
        assert scene.rest() <= 4
        assert f"could not be started; nothing was changed. Try again. ({reason})" in failure(scene)
        assert scene.witness.lines() == before
        scene.theatre.refusal = ""
        scene.again(job)


@pytest.mark.parametrize("reason", CANNOT_START)
@pytest.mark.parametrize("job", [Job.CREATE, Job.DISTRIBUTE, Job.UPDATE])
def test_a_refused_start_is_told_at_once(the_stage: Stage, job: Job, reason: str) -> None:
    with the_stage.scene(job) as scene:
        scene.theatre.refusal = reason
        answer = scene.do(job)
        assert answer
        assert answer["__type"] == "InternalServerError"
        assert scene.rest() == 0
        scene.theatre.refusal = ""
        scene.again(job)


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_an_execution_that_is_ended_from_outside_is_caught_up_with(
    the_stage: Stage, status: str
) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        scene.do(Job.DISTRIBUTE)
        (execution,) = scene.theatre.executions.values()
        scene.theatre.abort(execution, status)
        scene.theatre.company.play()
        assert scene.rest() == 0, "The rule needs no sweep."
        assert "nothing was changed" in failure(scene)
        scene.again(Job.DISTRIBUTE)


def test_a_failure_path_that_fails_is_made_good_by_the_rule(the_stage: Stage) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:

        def plan(call: Call) -> Fault | None:
            return Fault.DENIED if call.actor in ("select", "abandon") else None

        scene.theatre.outside.plan = plan
        scene.do(Job.DISTRIBUTE)
        scene.theatre.company.play()
        assert scene.rest() == 0
        assert "(ExecutionEnded)" in failure(scene)


def test_a_function_that_is_throttled_for_ever_fails_its_operation(the_stage: Stage) -> None:
    with the_stage.scene(Job.UPDATE) as scene:
        scene.theatre.mishap = lambda function: (
            Mishap.THROTTLED if function is Function.MERGE else None
        )
        scene.do(Job.UPDATE)
        scene.theatre.company.play()
        assert scene.rest() == 0
        assert "(Lambda.TooManyRequestsException)" in failure(scene)


UNSEEN = [Fault.DENIED, Fault.THROTTLING]


def hide(scene: Scene, fault: Fault = Fault.DENIED) -> None:
    """Step Functions says of no execution how it is."""
    scene.theatre.outside.plan = lambda call: (
        fault if call.operation == "DescribeExecution" else None
    )


def sweep(scene: Scene, minutes: int) -> None:
    for _ in range(minutes):
        scene.theatre.tick(MINUTE)
        scene.theatre.settle()


@pytest.mark.parametrize("fault", UNSEEN)
@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_of_an_execution_that_cannot_be_looked_at_the_rule_tells_the_end(
    the_stage: Stage, status: str, fault: Fault
) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        hide(scene, fault)
        scene.do(Job.DISTRIBUTE)
        (execution,) = scene.theatre.executions.values()
        scene.theatre.abort(execution, status)
        scene.theatre.company.play()
        assert "(ExecutionEnded)" in failure(scene)
        assert scene.rest() == 0
        scene.again(Job.DISTRIBUTE)


@pytest.mark.parametrize("fault", UNSEEN)
@pytest.mark.parametrize("job", [Job.CREATE, Job.DISTRIBUTE, Job.UPDATE])
def test_a_claim_that_was_never_started_is_started_though_none_can_be_looked_at(
    the_stage: Stage, job: Job, fault: Fault
) -> None:
    with the_stage.scene(job) as scene:
        begun(scene, job)
        hide(scene, fault)
        sweep(scene, 2)
        scene.theatre.company.play()
        assert scene.statuses()[DatasetType.TRAIN].endswith("COMPLETE")
        assert scene.rest() == 0


@pytest.mark.parametrize("fault", UNSEEN)
def test_an_execution_that_runs_and_cannot_be_looked_at_is_left_alone(
    the_stage: Stage, fault: Fault
) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        scene.do(Job.DISTRIBUTE)
        hide(scene, fault)
        sweep(scene, 60)
        assert scene.statuses()[DatasetType.TRAIN] is Status.UPDATE_IN_PROGRESS
        assert len(scene.theatre.executions) == 1
        scene.theatre.company.play()
        assert scene.statuses()[DatasetType.TRAIN] is Status.UPDATE_COMPLETE
        assert scene.rest() == 0


def test_the_end_of_one_execution_ends_no_other_operation(the_stage: Stage) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        scene.do(Job.DISTRIBUTE)
        (execution,) = scene.theatre.executions.values()
        account, _, name = execution.arn.rpartition(":")
        for arn in (f"{account}-of-another-stage:{name}", f"{account}:{'0' * 32}"):
            scene.theatre.settle(ended(arn, "FAILED"))
        scene.theatre.settle(ended(execution.arn, "RUNNING"))
        scene.theatre.company.play()
        assert scene.statuses()[DatasetType.TRAIN] is Status.UPDATE_COMPLETE


def test_executions_that_can_be_neither_looked_at_nor_started_are_given_up_when_none_can_run_any_more(
    the_stage: Stage,
) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        begun(scene, Job.DISTRIBUTE)
        hide(scene)
        scene.theatre.refusal = "AccessDeniedException"
        sweep(scene, 60)
        assert scene.statuses()[DatasetType.TRAIN] is Status.UPDATE_IN_PROGRESS
        scene.theatre.tick(EXECUTION_MILLISECONDS + 5 * MINUTE)
        scene.theatre.settle()
        assert "(AccessDeniedException)" in failure(scene)


@pytest.mark.parametrize("workflow", list(Workflow))
def test_no_execution_lasts_longer_than_the_sweep_believes(workflow: Workflow) -> None:
    assert definition(workflow)["TimeoutSeconds"] * 1000 == EXECUTION_MILLISECONDS
    assert 2 * TIMEOUT_SECONDS[Function.API] * 1000 <= START_GRACE_MILLISECONDS
