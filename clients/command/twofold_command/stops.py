"""Signals that stop a command, and the moments at which one must not.

SIGINT, SIGTERM and SIGHUP raise Stopped in the main thread. `held_back` postpones it to the end of a block.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
NOTHING_WRITTEN = "nothing was written"

_outcome = NOTHING_WRITTEN


class Stopped(KeyboardInterrupt):
    """A signal has stopped the command."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def listen() -> None:
    """From now on each signal raises Stopped, except those that the caller of the command has had ignored (`nohup`)."""
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def ignore() -> None:
    """For the end of a process, whose work is done."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


def set_outcome(outcome: str) -> None:
    """What a stopped command has left, in words, from now on."""
    global _outcome
    _outcome = outcome


def outcome() -> str:
    return _outcome


def exit_code(error: KeyboardInterrupt) -> int:
    """128 and the number of the signal, as shells have it."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


@contextmanager
def held_back() -> Iterator[None]:
    """A stop that comes while the block runs happens at its end.

    Handlers, not masks: a signal that is masked here may reach another thread, and Python runs its handler here all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    handlers = {number: signal.getsignal(number) for number in STOPS}
    replaced = {
        number: handler
        for number, handler in handlers.items()
        if handler not in (signal.SIG_IGN, None)
    }
    try:
        for number in replaced:
            signal.signal(number, catch)
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
    if caught:
        signal.raise_signal(caught[0])


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
