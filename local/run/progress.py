"""Timing of the steps of a run, and their progress bars on a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

_MIN_ELAPSED_SECONDS = 1.0


class RateColumn(ProgressColumn):
    """The rate and the remaining time of a step with a known total, shown after the first second."""

    def render(self, task: Task) -> Text:
        elapsed, remaining = task.elapsed or 0, task.time_remaining
        if (
            task.total is None
            or task.speed is None
            or remaining is None
            or elapsed < _MIN_ELAPSED_SECONDS
        ):
            return Text("")
        minutes, seconds = divmod(round(remaining), 60)
        rate = f"{decimal(round(task.speed))}/s, " if task.fields["in_bytes"] else ""
        return Text(f"{rate}{minutes}:{seconds:02d} left")


@dataclass(slots=True)
class Step:
    """A running step. With a total number of bytes the bar fills; without a total it is animated and shows the last status."""

    _progress: Progress
    _task: TaskID

    def advance(self, amount: int) -> None:
        self._progress.advance(self._task, amount)

    def show_dataset(self, dataset: dict[str, Any]) -> None:
        """Show a DatasetDescription: the progress if the service reports it, and the status."""
        progress = dataset.get("Progress")
        if progress:
            total, done = progress["Total"], progress["Done"]
            self._progress.update(self._task, total=total, completed=done)
        state = dataset["StatusMessage"] if progress else dataset["Status"]
        self._progress.update(self._task, state=state)


@dataclass(slots=True)
class StepTimer:
    """Runs steps one after another. `seconds` has the duration of each completed step."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time_step(self, name: str, total: int | None = None) -> Iterator[Step]:
        """Context manager for a step. `total` is the number of bytes that the step transfers, if known."""
        in_bytes = total is not None
        task = self.progress.add_task(name, total=total, state="", in_bytes=in_bytes)
        started_at = time.perf_counter()
        yield Step(self.progress, task)
        self.seconds[name] = round(time.perf_counter() - started_at, 3)
        self.progress.remove_task(task)


@contextmanager
def show_progress(console: Console) -> Iterator[StepTimer]:
    """Context manager that shows the current step on a terminal, and prints nothing elsewhere."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        RateColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield StepTimer(progress)
