"""The steps of a run, timed, and shown while they last where someone is looking."""

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

_FIRST_PACE_SECONDS = 1.0


class Pace(ProgressColumn):
    """Rate and remaining time of a step whose total is known, from the second second on."""

    def render(self, task: Task) -> Text:
        elapsed, left = task.elapsed or 0, task.time_remaining
        if (
            task.total is None
            or task.speed is None
            or left is None
            or elapsed < _FIRST_PACE_SECONDS
        ):
            return Text("")
        minutes, seconds = divmod(round(left), 60)
        rate = f"{decimal(round(task.speed))}/s, " if task.fields["in_bytes"] else ""
        return Text(f"{rate}{minutes}:{seconds:02d} left")


@dataclass(slots=True)
class Step:
    """A step with a total, of bytes, fills its bar; one without shows that it is alive, and what it was last told."""

    _progress: Progress
    _task: TaskID

    def advance(self, amount: int) -> None:
        self._progress.advance(self._task, amount)

    def tell(self, dataset: dict[str, Any]) -> None:
        """DescribeDataset's answer: pieces of work while the service counts some, and what it says."""
        counted = dataset.get("Progress")
        if counted:
            total, done = counted["Total"], counted["Done"]
            self._progress.update(self._task, total=total, completed=done)
        state = dataset["StatusMessage"] if counted else dataset["Status"]
        self._progress.update(self._task, state=state)


@dataclass(slots=True)
class Steps:
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:
        in_bytes = total is not None
        task = self.progress.add_task(name, total=total, state="", in_bytes=in_bytes)
        began = time.perf_counter()
        yield Step(self.progress, task)
        self.seconds[name] = round(time.perf_counter() - began, 3)
        self.progress.remove_task(task)


@contextmanager
def shown(console: Console) -> Iterator[Steps]:
    """Animated on a terminal, silent elsewhere."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        Pace(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield Steps(progress)
