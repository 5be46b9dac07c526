"""Stop signals of a command: SIGINT, SIGTERM and SIGHUP raise Stopped in the main thread.

`defer_stops` postpones a stop to the end of a block.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
NOTHING_WRITTEN = "nothing was written"

_outcome = NOTHING_WRITTEN


class Stopped(KeyboardInterrupt):
    """Raised when a signal stops the command; `number` is the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def install_handlers() -> None:
    """Makes each signal raise Stopped, except signals that the caller ignores (`nohup`)."""
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_stopped)


def ignore_stops() -> None:
    """Ignores all stop signals, for the end of a process."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def set_outcome(outcome: str) -> None:
    """Sets the clause about written files in the message of a stopped command."""
    global _outcome
    _outcome = outcome


def get_outcome() -> str:
    return _outcome


def get_exit_code(error: KeyboardInterrupt) -> int:
    """Returns 128 plus the number of the signal, as shells do."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


@contextmanager
def defer_stops() -> Iterator[None]:
    """Postpones a stop during the block to its end.

    Replaces handlers rather than masking signals: a masked signal may reach another thread, and Python then runs the handler
    in the main thread regardless.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def record_signal(number: int, frame: FrameType | None) -> None:
        received.append(number)

    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    replaced = {
        number: handler
        for number, handler in handlers.items()
        if handler not in (signal.SIG_IGN, None)
    }
    try:
        for number in replaced:
            signal.signal(number, record_signal)
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])


def _raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
