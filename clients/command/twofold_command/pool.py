"""Worker processes for large manifests; the command itself processes small manifests."""

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

from twofold_command import signals
from twofold_command.errors import CommandError

# Starting a process costs as much as indexing about 12 MB.
MIN_BYTES_PER_WORKER = 32 << 20
_HAS_FORKSERVER = "forkserver" in multiprocessing.get_all_start_methods()
_PRELOADED_MODULE = "twofold_command.transfer"

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class WorkerPool:
    """Runs tasks in worker processes, or in this process if there is no executor."""

    def __init__(self, executor: ProcessPoolExecutor | None) -> None:
        self._executor = executor

    def map(
        self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]
    ) -> Iterator[_Result]:
        """Yields the results in the order of the tasks. Raises CommandError if a worker dies."""
        if self._executor is None:
            yield from map(function, tasks)
            return
        try:
            yield from self._executor.map(function, tasks)
        except BrokenProcessPool as error:
            raise CommandError(
                "A worker process died, perhaps out of memory. Run again with --processes 1."
            ) from error


def prepare_workers(manifest: Path) -> None:
    """Starts the fork server if the manifest is large enough for workers, so that it imports modules in parallel with this
    process."""
    with suppress(OSError):
        if _choose_worker_count(manifest.stat().st_size, None) > 1 and _HAS_FORKSERVER:
            with signals.defer_stops():
                _start_fork_server()


@contextmanager
def open_pool(size: int, processes: int | None) -> Iterator[WorkerPool]:
    """Opens a pool for a manifest of `size` bytes. `processes` is the number of workers, None for a choice by size."""
    count = _choose_worker_count(size, processes)
    if count <= 1:
        yield WorkerPool(None)
        return
    with ExitStack() as until_done:
        with signals.defer_stops():
            if _HAS_FORKSERVER:
                _start_fork_server()
            executor = ProcessPoolExecutor(count, _get_context(), initializer=_initialize_worker)
            until_done.callback(_shut_down_executor, executor)
            with _mask_interrupts():
                for _ in range(count):
                    executor.submit(int)
        yield WorkerPool(executor)


def _start_fork_server() -> None:
    """Starts the resource tracker before the fork server, because the tracker removes SIGINT from the signal mask."""
    _get_context()
    resource_tracker.ensure_running()
    with _mask_interrupts():
        forkserver.ensure_running()


def _shut_down_executor(executor: ProcessPoolExecutor) -> None:
    """Waits for running tasks and cancels the rest."""
    with signals.defer_stops():
        executor.shutdown(cancel_futures=True)


def _choose_worker_count(size: int, processes: int | None) -> int:
    return processes or min(_count_processors(), size // MIN_BYTES_PER_WORKER)


def _get_context() -> BaseContext:
    """Returns the start method. Workers are forks of a fork server that has only imported their modules: this process may have
    threads, which a fork does not copy. On systems without forks each worker imports the modules itself.
    """
    if not _HAS_FORKSERVER:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED_MODULE])
    return context


def _initialize_worker() -> None:
    """Runs in each worker before the first task."""
    # Indexing creates many small objects and no cycles; at the default threshold the collector takes a twelfth of the time.
    gc.set_threshold(100_000)
    Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Ends the worker after the end of the parent: a killed command cannot stop workers."""
    command = multiprocessing.parent_process()
    if command is not None:
        wait([command.sentinel])
        os._exit(1)


@contextmanager
def _mask_interrupts() -> Iterator[None]:
    """Masks SIGINT and SIGHUP for processes that start in the block: Ctrl-C reaches the whole process group."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _count_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
