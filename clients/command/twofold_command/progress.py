"""How far a command is: one line that overwrites itself on a terminal, nothing elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

_PAUSE_SECONDS = 0.1
_CLEAR_LINE = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """Of one step; `total` is 0 where nobody knows it."""

    name: str
    total: int
    stream: TextIO | None
    done: int = 0
    _shown: float = 0.0

    def advance(self, amount: int) -> None:
        self.done += amount
        if time.monotonic() - self._shown >= _PAUSE_SECONDS:
            self.show()

    def show(self) -> None:
        self._shown = time.monotonic()
        if self.stream:
            share = f" {100 * self.done // self.total} %" if self.total else ""
            self.stream.write(f"{_CLEAR_LINE}{self.name} …{share}")
            self.stream.flush()

    def clear(self) -> None:
        if self.stream:
            self.stream.write(_CLEAR_LINE)
            self.stream.flush()


@contextmanager
def progress(name: str, total: int = 0) -> Iterator[Progress]:
    stream = sys.stderr if sys.stderr.isatty() else None
    step = Progress(name, total, stream)
    step.show()
    try:
        yield step
    finally:
        step.clear()
