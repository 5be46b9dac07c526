"""Jobs in accounts with few concurrent executions complete with the shipped retries; the model can fail jobs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import throttling
from bench.retries import EARLIER, MapPolicy, Retry, read_machine, read_map_policy, read_step_retry
from bench.throttling import FEWER_WORKERS, NEW_ACCOUNT, Load, repeat, simulate
from twofold.settings import TIMEOUT_SECONDS, Function, Workflow

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MANY, SOME, FEW = 200, 20, 3

FIVE_WORKERS = replace(read_map_policy(), workers=FEWER_WORKERS)
SIZES = pytest.mark.parametrize(
    ("shards", "runs"), [(90, MANY), (100, MANY), (180, MANY), (1_000, SOME), (10_000, FEW)]
)


@SIZES
@pytest.mark.parametrize(
    "policy", [read_map_policy(), FIVE_WORKERS], ids=["shipped", "five workers"]
)
def test_no_job_fails_for_lack_of_executions(policy: MapPolicy, shards: int, runs: int) -> None:
    assert repeat(policy, Load(shards), runs).failed == 0


def test_the_model_fails_jobs_as_the_earlier_retries_did() -> None:
    earlier = replace(read_map_policy(), retry=EARLIER)
    assert 0.4 < repeat(earlier, Load(90), MANY).failed < 0.9
    assert repeat(earlier, Load(180), MANY).failed > 0.95
    assert repeat(earlier, Load(10_000), FEW).failed == 1


def test_several_jobs_at_once_complete_with_the_workers_that_the_check_advises() -> None:
    assert repeat(FIVE_WORKERS, Load(300, jobs=4), SOME).failed == 0
    assert repeat(replace(FIVE_WORKERS, retry=EARLIER), Load(300, jobs=4), SOME).failed > 0.5


@pytest.mark.parametrize("held", [60, 180])
def test_no_job_fails_if_other_functions_use_all_executions_for_minutes(held: float) -> None:
    assert repeat(read_map_policy(), Load(180, held=held), SOME).failed == 0
    assert repeat(replace(read_map_policy(), retry=EARLIER), Load(180, held=held), SOME).failed == 1


def test_a_job_fails_if_other_functions_use_all_executions_for_longer_than_a_child_may_run() -> (
    None
):
    """This limit of AWS is in the docs; no retry policy can exceed it."""
    assert repeat(read_map_policy(), Load(180, held=300), SOME).failed == 1
    endless = replace(read_map_policy(), retry=replace(read_map_policy().retry, attempts=100_000))
    assert repeat(endless, Load(180, held=310), SOME).failed == 1


def test_a_step_of_an_operation_outlasts_the_workers_of_others() -> None:
    steps = (read_step_retry(),) * 20
    assert repeat(read_map_policy(), Load(300, jobs=3, steps=steps), SOME).failed == 0
    assert repeat(read_map_policy(), Load(300, jobs=3, steps=(EARLIER,) * 20), SOME).failed > 0.1


def test_a_call_finds_a_free_execution_only_if_workers_leave_some() -> None:
    assert repeat(FIVE_WORKERS, Load(180), SOME).full == 0
    assert repeat(read_map_policy(), Load(180), SOME).full > 0.5


def test_a_run_works_on_every_shard_once_and_never_on_more_than_there_are_executions() -> None:
    """A check of the model: n shards take at least n times the shortest work, divided by the executions."""
    shortest, longest = throttling.WORK_SECONDS
    simulation = simulate(read_map_policy(), NEW_ACCOUNT, Load(1_000), seed=1)
    assert 1_000 * shortest / NEW_ACCOUNT < simulation.now < 1_000 * longest / NEW_ACCOUNT
    assert simulation.throttles > 0
    plenty = simulate(read_map_policy(), 1_000, Load(1_000), seed=1)
    assert (plenty.throttles, plenty.full) == (0, 0)
    assert plenty.now < simulation.now / 3


def test_a_throttled_worker_fails_before_its_execution_ends_and_leaves_it_time_to_work() -> None:
    policy = read_map_policy()
    assert policy.retry.mean_wait + 20 * throttling.WORK_SECONDS[1] < policy.life
    assert policy.retry.mean_wait > policy.life * 0.75


def _list_max_durations(workflow: Workflow, retry: Retry) -> Iterator[float]:
    """Yield the maximum seconds of each state of a workflow: its waits and the time limit of its function."""
    for name, state in read_machine(workflow)["States"].items():
        if state["Type"] == "Task":
            yield retry.mean_wait + TIMEOUT_SECONDS[Function(name.lower())]
        elif state["Type"] == "Map":
            yield read_map_policy().life


@pytest.mark.parametrize("workflow", Workflow)
def test_steps_that_are_throttled_to_the_end_fail_before_their_execution_times_out(
    workflow: Workflow,
) -> None:
    """Abandon then still names the reason. This is for as many shards as workers; further shards take turns."""
    assert (
        sum(_list_max_durations(workflow, read_step_retry()))
        < read_machine(workflow)["TimeoutSeconds"]
    )
    assert read_step_retry().mean_wait > 800


def test_the_page_shows_the_table_of_the_model() -> None:
    """`python -m bench simulate` prints it."""
    assert throttling.render_table() in PAGE.read_text(encoding="utf-8")
