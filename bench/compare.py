"""Run every splitter on every dataset, one process after another."""

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from bench.datasets import Dataset
from bench.methods import METHODS, Method
from bench.worker import Run

LIMIT_SECONDS = 80
SEED = 0
_RUN = TypeAdapter(Run)


@dataclass(frozen=True, slots=True)
class Result:
    """A run, or the reason why there is no run."""

    dataset: str
    method: str
    run: Run | None
    reason: str = ""


def compare(
    datasets: Iterable[Dataset],
    report_progress: Callable[[Result], None],
    methods: Mapping[str, Method] = METHODS,
) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        for data in datasets:
            path = Path(folder) / "dataset.npz"
            data.save(path)
            for key, method in methods.items():
                if method.grouped and data.groups is None:
                    continue
                result = _measure(data, key, method, path)
                report_progress(result)
                yield result


def _measure(data: Dataset, key: str, method: Method, path: Path) -> Result:
    if method.version() is None:
        return Result(data.name, key, None, "not installed")
    command = [sys.executable, "-m", "bench.worker", key, str(path), str(SEED)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        return Result(data.name, key, None, f"not done after {LIMIT_SECONDS} s")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return Result(
            data.name, key, None, f"raises {textwrap.shorten(last[0], 110, placeholder=' …')}"
        )
    return Result(data.name, key, _RUN.validate_json(done.stdout))
