"""Progress of a command: a line that overwrites itself on a terminal, and no output elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from twofold.escaping import make_printable

_MIN_INTERVAL_SECONDS = 0.1
_CLEAR_LINE = "\r\x1b[K"
_BAR_WIDTH = 24
_WINDOW_SECONDS = 10.0
_FIRST_RATE_SECONDS = 1.0


@dataclass(slots=True)
class ProgressBar:
    """Progress of a step. `total` is 0 if unknown; `unit` is the counted unit, `B` for bytes.

    Rate and remaining time are computed over the last ten seconds, and shown after the first second.
    """

    name: str
    total: int
    stream: TextIO | None
    unit: str = "B"
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    message: str = ""
    _last_shown: float = float("-inf")
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def advance(self, amount: int) -> None:
        self.update(self.done + amount, self.total)

    def update(self, done: int, total: int) -> None:
        """Sets the progress. A new total starts a new measurement of the rate."""
        if total != self.total:
            self._samples.clear()
        self.done, self.total = done, total
        if self.clock() - self._last_shown >= _MIN_INTERVAL_SECONDS:
            self.show()

    def set_message(self, text: str) -> None:
        """Shows a message instead of a bar."""
        self.message, self.total = text, 0
        self.show()

    def show(self) -> None:
        now = self._last_shown = self.clock()
        self._samples.append((now, self.done))
        while now - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        if self.stream:
            self.stream.write(f"{_CLEAR_LINE}{self.render()}")
            self.stream.flush()

    def render(self) -> str:
        if not self.total:
            return make_printable(f"{self.name} … {self.message}".rstrip())
        done = min(self.done, self.total)
        full = _BAR_WIDTH * done // self.total
        parts = [self.name, "█" * full + "░" * (_BAR_WIDTH - full), f"{100 * done // self.total} %"]
        return "  ".join([*parts, *self._render_pace()])

    def _render_pace(self) -> Iterator[str]:
        (began, before), (now, done) = self._samples[0], self._samples[-1]
        if now - began < _FIRST_RATE_SECONDS or done <= before:
            return
        rate = (done - before) / (now - began)
        yield (
            f"{_format_rate(rate)}B/s" if self.unit == "B" else f"{_format_rate(rate)}{self.unit}/s"
        )
        yield f"{_format_duration((self.total - done) / rate)} left"

    def clear(self) -> None:
        if self.stream:
            self.stream.write(_CLEAR_LINE)
            self.stream.flush()


@contextmanager
def show_progress(name: str, total: int = 0, unit: str = "B") -> Iterator[ProgressBar]:
    stream = sys.stderr if sys.stderr.isatty() else None
    bar = ProgressBar(name, total, stream, unit)
    bar.show()
    try:
        yield bar
    finally:
        bar.clear()


def _format_rate(rate: float) -> str:
    """Returns the rate with a decimal prefix, such as `1.2 M`."""
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.1f} {prefix}"
    return f"{rate:.0f} " if rate >= 10 else f"{rate:.1f} "


def _format_duration(seconds: float) -> str:
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"
