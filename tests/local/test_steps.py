"""Progress is for someone who looks: honest on a terminal, silent anywhere else."""

import io

from rich.console import Console
from rich.progress import Progress

from local.steps import Pace, shown


def _shown(*, terminal: bool) -> tuple[str, dict[str, float]]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with shown(console) as steps:
        with steps.step("upload", total=4) as step:
            step.advance(2)
            steps.progress.refresh()
        with steps.step("distribute") as step:
            step.tell({"Status": "UPDATE_IN_PROGRESS"})
            steps.progress.refresh()
    return file.getvalue(), steps.seconds


def test_a_terminal_sees_each_step_and_the_status_that_it_waits_for() -> None:
    text, _ = _shown(terminal=True)
    assert "upload" in text
    assert "distribute" in text
    assert "UPDATE_IN_PROGRESS" in text
    assert "%" not in text


def test_a_pipe_sees_nothing() -> None:
    assert _shown(terminal=False)[0] == ""


def test_every_step_is_timed() -> None:
    _, seconds = _shown(terminal=False)
    assert list(seconds) == ["upload", "distribute"]
    assert all(0 <= spent < 10 for spent in seconds.values())


def test_a_long_step_tells_its_rate_and_what_is_left() -> None:
    now = 100.0
    progress = Progress(Pace(), get_time=lambda: now)
    task = progress.add_task("upload", total=100_000_000, in_bytes=True)
    for _ in range(5):
        now += 1
        progress.advance(task, 10_000_000)
    (column,) = progress.columns
    assert isinstance(column, Pace)
    assert str(column(progress.tasks[0])) == "10.0 MB/s, 0:05 left"


def test_a_step_without_a_total_tells_no_rate() -> None:
    progress = Progress(Pace(), get_time=lambda: 100.0)
    progress.add_task("distribute", total=None, in_bytes=False)
    assert str(Pace()(progress.tasks[0])) == ""


def test_what_the_service_counts_fills_the_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with shown(console) as steps, steps.step("distribute") as step:
        counted = {"Step": "MOVE", "Done": 12, "Total": 40}
        message = "The entries are being distributed. Moved 12 of 40 shards."
        step.tell({"Status": "X", "StatusMessage": message, "Progress": counted})
        (task,) = steps.progress.tasks
        assert (task.completed, task.total) == (12, 40)
        assert task.fields["state"] == message
