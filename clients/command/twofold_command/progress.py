"""How far a command is: one line that overwrites itself on a terminal, nothing elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from twofold.escaping import make_printable

_PAUSE_SECONDS = 0.1
_CLEAR_LINE = "\r\x1b[K"
_BAR = 24
_WINDOW_SECONDS = 10.0
_FIRST_RATE_SECONDS = 1.0


@dataclass(slots=True)
class Progress:
    """Of one step; `total` is 0 where nobody knows it. `unit` is what is counted, `B` for bytes.

    Rate and remaining time are those of the last ten seconds, and are told from the second second on.
    """

    name: str
    total: int
    stream: TextIO | None
    unit: str = "B"
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    told: str = ""
    _shown: float = float("-inf")
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def advance(self, amount: int) -> None:
        self.reach(self.done + amount, self.total)

    def reach(self, done: int, total: int) -> None:
        """Another total is another task, whose pace is not known yet."""
        if total != self.total:
            self._seen.clear()
        self.done, self.total = done, total
        if self.clock() - self._shown >= _PAUSE_SECONDS:
            self.show()

    def tell(self, text: str) -> None:
        """What the one who does the work says of it."""
        self.told, self.total = text, 0
        self.show()

    def show(self) -> None:
        now = self._shown = self.clock()
        self._seen.append((now, self.done))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        if self.stream:
            self.stream.write(f"{_CLEAR_LINE}{self.line()}")
            self.stream.flush()

    def line(self) -> str:
        if not self.total:
            return make_printable(f"{self.name} … {self.told}".rstrip())
        done = min(self.done, self.total)
        full = _BAR * done // self.total
        parts = [self.name, "█" * full + "░" * (_BAR - full), f"{100 * done // self.total} %"]
        return "  ".join([*parts, *self._pace()])

    def _pace(self) -> Iterator[str]:
        (began, before), (now, done) = self._seen[0], self._seen[-1]
        if now - began < _FIRST_RATE_SECONDS or done <= before:
            return
        rate = (done - before) / (now - began)
        yield f"{_size(rate)}B/s" if self.unit == "B" else f"{_size(rate)}{self.unit}/s"
        yield f"{_duration((self.total - done) / rate)} left"

    def clear(self) -> None:
        if self.stream:
            self.stream.write(_CLEAR_LINE)
            self.stream.flush()


@contextmanager
def progress(name: str, total: int = 0, unit: str = "B") -> Iterator[Progress]:
    stream = sys.stderr if sys.stderr.isatty() else None
    step = Progress(name, total, stream, unit)
    step.show()
    try:
        yield step
    finally:
        step.clear()


def _size(rate: float) -> str:
    """With a space and a prefix of thousands, as in `1.2 M`."""
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.1f} {prefix}"
    return f"{rate:.0f} " if rate >= 10 else f"{rate:.1f} "


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
