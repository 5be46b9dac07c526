"""Several processes where that pays, none where starting them would take longer than the work."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from pathlib import Path
from threading import Thread
from typing import TypeVar

from twofold_command import stops
from twofold_command.errors import CommandError

# Starting a process costs as much as indexing about 12 MB.
WORTH_A_PROCESS_BYTES = 32 << 20
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_NEEDED = "twofold_command.carving"

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Pool:
    """Does tasks in order, in its processes or, if there are none, here."""

    def __init__(self, executor: ProcessPoolExecutor | None) -> None:
        self._executor = executor

    def map(
        self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]
    ) -> Iterator[_Result]:
        """Raises CommandError if a process dies, and whatever the function raises."""
        if self._executor is None:
            yield from map(function, tasks)
            return
        try:
            yield from self._executor.map(function, tasks)
        except BrokenProcessPool as error:
            raise CommandError(
                "A worker process died, perhaps for want of memory. Try again with --processes 1."
            ) from error


def prepare(manifest: Path) -> None:
    """Has what workers need be loaded in a process of its own, while this one loads what it needs itself, if a pool for the
    manifest would have workers.
    """
    with suppress(OSError):
        if _count(manifest.stat().st_size, None) > 1 and _FORKS:
            with stops.held_back():
                _start_server()


@contextmanager
def pool_for(size: int, processes: int | None) -> Iterator[Pool]:
    """For a manifest of `size` bytes; `processes` is what the user asks for, if anything."""
    count = _count(size, processes)
    if count <= 1:
        yield Pool(None)
        return
    with ExitStack() as until_done:
        with stops.held_back():
            if _FORKS:
                _start_server()
            executor = ProcessPoolExecutor(count, _context(), initializer=_begin)
            until_done.callback(_shut_down, executor)
            with _interrupts_masked():
                for _ in range(count):
                    executor.submit(int)
        yield Pool(executor)


def _start_server() -> None:
    """The resource tracker first: it takes SIGINT out of the mask when it starts its own process."""
    _context()
    resource_tracker.ensure_running()
    with _interrupts_masked():
        forkserver.ensure_running()


def _shut_down(executor: ProcessPoolExecutor) -> None:
    """Returns when the tasks that have begun are done, whoever is in a hurry."""
    with stops.held_back():
        executor.shutdown(cancel_futures=True)


def _count(size: int, processes: int | None) -> int:
    return processes or min(_processors(), size // WORTH_A_PROCESS_BYTES)


def _context() -> BaseContext:
    """Workers are no forks of this process, where NumPy and the readers of a terminal may have threads, but of one that has
    loaded what they need and done nothing else. Where there are no forks each loads it for itself.
    """
    if not _FORKS:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_NEEDED])
    return context


def _begin() -> None:
    """In each worker, before its first task."""
    # Indexing makes many small objects and no cycles of them; looking for cycles takes a twelfth of its time.
    gc.set_threshold(100_000)
    Thread(target=_end_with_the_command, daemon=True).start()


def _end_with_the_command() -> None:
    """A command that is killed cannot stop its workers."""
    command = multiprocessing.parent_process()
    if command is not None:
        wait([command.sentinel])
        os._exit(1)


@contextmanager
def _interrupts_masked() -> Iterator[None]:
    """Ctrl-C, or the end of the terminal, reaches the whole process group. Processes that start in here do not notice."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
