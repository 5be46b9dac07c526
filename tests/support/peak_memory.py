"""Measure the peak memory of a function.

Measured in a process of its own: in the tests' own, what other threads hold would be counted too.
"""

import multiprocessing
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def measure_peak(work: Callable[..., _Result], *args: Any) -> tuple[_Result, int]:
    """Return the result of a function of a module, and its peak memory in bytes."""
    return run_in_process(trace_peak, work, *args)


def run_in_process(work: Callable[..., _Result], *args: Any) -> _Result:
    """Return the result of a function of a module, run in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *args).result()


def trace_peak(work: Callable[..., _Result], *args: Any) -> tuple[_Result, int]:
    """Measure in this process, which must do nothing else."""
    tracemalloc.start()
    try:
        return work(*args), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
