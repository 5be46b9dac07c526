"""Progress is for someone who looks: honest on a terminal, silent anywhere else."""

import io

from rich.console import Console

from local.steps import shown


def _shown(*, terminal: bool) -> tuple[str, dict[str, float]]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with shown(console) as steps:
        with steps.step("upload", total=4) as step:
            step.advance(2)
            steps.progress.refresh()
        with steps.step("distribute") as step:
            step.tell("UPDATE_IN_PROGRESS")
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
