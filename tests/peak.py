"""The most memory that a piece of work holds.

Measured in a process of its own: in the tests' own, what other threads hold would be counted too.
"""

import multiprocessing
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def peak_of(work: Callable[..., _Result], *args: Any) -> tuple[_Result, int]:
    """What a function of a module gives, and the bytes that it held at the most."""
    return apart(traced, work, *args)


def apart(work: Callable[..., _Result], *args: Any) -> _Result:
    """What a function of a module gives in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *args).result()


def traced(work: Callable[..., _Result], *args: Any) -> tuple[_Result, int]:
    """Like `peak_of`, in a process that does nothing else."""
    tracemalloc.start()
    try:
        return work(*args), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
