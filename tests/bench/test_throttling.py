"""Jobs in accounts with few concurrent executions: the retries that ship let them complete, by a model that can fail them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import throttling
from bench.retries import EARLIER, MapPolicy, Retry, read_machine, shipped, shipped_step
from bench.throttling import FEWER_WORKERS, NEW_ACCOUNT, Load, repeat, simulate
from twofold.settings import TIMEOUT_SECONDS, Function, Workflow

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MANY, SOME, FEW = 200, 20, 3

FIVE_WORKERS = replace(shipped(), workers=FEWER_WORKERS)
SIZES = pytest.mark.parametrize(
    ("shards", "runs"), [(90, MANY), (100, MANY), (180, MANY), (1_000, SOME), (10_000, FEW)]
)


@SIZES
@pytest.mark.parametrize("policy", [shipped(), FIVE_WORKERS], ids=["shipped", "five workers"])
def test_no_job_fails_for_want_of_executions(policy: MapPolicy, shards: int, runs: int) -> None:
    assert repeat(policy, Load(shards), runs).failed == 0


def test_the_model_fails_jobs_as_the_earlier_retries_did() -> None:
    earlier = replace(shipped(), retry=EARLIER)
    assert 0.4 < repeat(earlier, Load(90), MANY).failed < 0.9
    assert repeat(earlier, Load(180), MANY).failed > 0.95
    assert repeat(earlier, Load(10_000), FEW).failed == 1


def test_several_jobs_at_once_complete_with_the_workers_that_the_check_advises() -> None:
    assert repeat(FIVE_WORKERS, Load(300, jobs=4), SOME).failed == 0
    assert repeat(replace(FIVE_WORKERS, retry=EARLIER), Load(300, jobs=4), SOME).failed > 0.5


@pytest.mark.parametrize("held", [60, 180])
def test_executions_that_others_hold_for_minutes_fail_no_job(held: float) -> None:
    assert repeat(shipped(), Load(180, held=held), SOME).failed == 0
    assert repeat(replace(shipped(), retry=EARLIER), Load(180, held=held), SOME).failed == 1


def test_executions_that_others_hold_for_longer_than_a_child_lives_fail_the_job() -> None:
    """The limit of AWS that the docs name; no retry can outlast it."""
    assert repeat(shipped(), Load(180, held=300), SOME).failed == 1
    endless = replace(shipped(), retry=replace(shipped().retry, attempts=100_000))
    assert repeat(endless, Load(180, held=310), SOME).failed == 1


def test_a_step_of_an_operation_outlasts_the_workers_of_others() -> None:
    steps = (shipped_step(),) * 20
    assert repeat(shipped(), Load(300, jobs=3, steps=steps), SOME).failed == 0
    assert repeat(shipped(), Load(300, jobs=3, steps=(EARLIER,) * 20), SOME).failed > 0.1


def test_a_call_finds_a_free_execution_only_if_workers_leave_some() -> None:
    assert repeat(FIVE_WORKERS, Load(180), SOME).full == 0
    assert repeat(shipped(), Load(180), SOME).full > 0.5


def test_a_run_works_on_every_shard_once_and_never_on_more_than_there_are_executions() -> None:
    """What the model itself is worth: n shards take at least n times the shortest work, by so many executions."""
    shortest, longest = throttling.WORK_SECONDS
    done = simulate(shipped(), NEW_ACCOUNT, Load(1_000), seed=1)
    assert 1_000 * shortest / NEW_ACCOUNT < done.now < 1_000 * longest / NEW_ACCOUNT
    assert done.throttles > 0
    plenty = simulate(shipped(), 1_000, Load(1_000), seed=1)
    assert (plenty.throttles, plenty.full) == (0, 0)
    assert plenty.now < done.now / 3


def test_a_throttled_worker_fails_before_its_execution_ends_and_leaves_it_time_to_work() -> None:
    policy = shipped()
    assert policy.retry.mean_wait + 20 * throttling.WORK_SECONDS[1] < policy.life
    assert policy.retry.mean_wait > policy.life * 0.75


def _waits(workflow: Workflow, retry: Retry) -> Iterator[float]:
    """Seconds of each state of a workflow at the most: its wait and its function's time limit."""
    for name, state in read_machine(workflow)["States"].items():
        if state["Type"] == "Task":
            yield retry.mean_wait + TIMEOUT_SECONDS[Function(name.lower())]
        elif state["Type"] == "Map":
            yield shipped().life


@pytest.mark.parametrize("workflow", Workflow)
def test_steps_that_are_throttled_to_the_end_fail_before_their_execution_times_out(
    workflow: Workflow,
) -> None:
    """So that Abandon still names the reason. With as many shards as workers; each more takes its time in turn."""
    assert sum(_waits(workflow, shipped_step())) < read_machine(workflow)["TimeoutSeconds"]
    assert shipped_step().mean_wait > 800


def test_the_page_shows_what_the_model_prints() -> None:
    """`make simulate` prints it."""
    assert throttling.table() in PAGE.read_text(encoding="utf-8")
