"""Progress on a terminal, and no output elsewhere."""

import io

from rich.console import Console
from rich.progress import Progress

from local.run.progress import RateColumn, show_progress


def _render_progress(*, terminal: bool) -> tuple[str, dict[str, float]]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with show_progress(console) as steps:
        with steps.time_step("upload", total=4) as step:
            step.advance(2)
            steps.progress.refresh()
        with steps.time_step("distribute") as step:
            step.show_dataset({"Status": "UPDATE_IN_PROGRESS"})
            steps.progress.refresh()
    return file.getvalue(), steps.seconds


def test_a_terminal_shows_each_step_and_the_status_of_the_dataset() -> None:
    text, _ = _render_progress(terminal=True)
    assert "upload" in text
    assert "distribute" in text
    assert "UPDATE_IN_PROGRESS" in text
    assert "%" not in text


def test_a_pipe_gets_no_output() -> None:
    assert _render_progress(terminal=False)[0] == ""


def test_every_step_is_timed() -> None:
    _, seconds = _render_progress(terminal=False)
    assert list(seconds) == ["upload", "distribute"]
    assert all(0 <= spent < 10 for spent in seconds.values())


def test_a_long_step_shows_the_rate_and_the_remaining_time() -> None:
    now = 100.0
    progress = Progress(RateColumn(), get_time=lambda: now)
    task = progress.add_task("upload", total=100_000_000, in_bytes=True)
    for _ in range(5):
        now += 1
        progress.advance(task, 10_000_000)
    (column,) = progress.columns
    assert isinstance(column, RateColumn)
    assert str(column(progress.tasks[0])) == "10.0 MB/s, 0:05 left"


def test_a_step_without_a_total_shows_no_rate() -> None:
    progress = Progress(RateColumn(), get_time=lambda: 100.0)
    progress.add_task("distribute", total=None, in_bytes=False)
    assert str(RateColumn()(progress.tasks[0])) == ""


def test_the_progress_of_the_service_fills_the_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with show_progress(console) as steps, steps.time_step("distribute") as step:
        counted = {"Step": "MOVE", "Done": 12, "Total": 40}
        message = "The entries are being distributed. Moved 12 of 40 shards."
        step.show_dataset({"Status": "X", "StatusMessage": message, "Progress": counted})
        (task,) = steps.progress.tasks
        assert (task.completed, task.total) == (12, 40)
        assert task.fields["state"] == message
