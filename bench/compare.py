"""Run every splitter on every dataset and division, one after another."""

import hashlib
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter

from bench.datasets import Dataset
from bench.divisions import DIVISIONS
from bench.methods import METHODS, Method
from bench.worker import Run

SEED = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A run, or the reason why there is no run."""

    dataset: str
    division: str
    method: str
    run: Run | None
    reason: str = ""


_RESULT = TypeAdapter(Result)


class ResultFile:
    """Results of earlier runs, one a line, by dataset, splitter and version. Twofold always runs again."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results: dict[str, Result] = {}
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                stored = json.loads(line)
                self._results[stored["key"]] = _RESULT.validate_python(stored["result"])

    def get(self, key: str) -> Result | None:
        return self._results.get(key)

    def put(self, key: str, result: Result) -> None:
        if self._path:
            line = json.dumps({"key": key, "result": asdict(result)})
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


class Worker:
    """A process of `bench.worker` with the splitter imported."""

    def __init__(self, method: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", method],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def run(self, path: Path, division: str, seed: int) -> dict[str, object]:
        """A run as a dictionary, or the `reason` why there is none."""
        try:
            print(json.dumps([str(path), division, seed]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return {"reason": "the splitter cannot be imported"}
        line = self._process.stdout.readline() if self._process.stdout else ""
        reply: dict[str, object] = json.loads(line) if line else {"reason": "the worker ended"}
        return reply


def compare(
    datasets: Iterable[Dataset],
    report_progress: Callable[[Result], None],
    methods: Mapping[str, Method] = METHODS,
    divided: Callable[[Dataset], bool] = lambda data: True,
    stored: Path | None = None,
) -> Iterator[Result]:
    """Yield a result for each dataset, division and splitter; more than two parts for `divided` datasets only.

    `stored`, if given, is a file of results: stored runs of peers are not repeated, and all runs are added.
    """
    file = ResultFile(stored)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for data in datasets:
            path = Path(folder) / "dataset.npz"
            data.save(path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            for division, key, method in _iterate_runs(data, methods, divided(data)):
                reason = (
                    "not installed" if method.version() is None else method.explain_omission(data)
                )
                name = f"{digest} {division} {key} {method.version()}"
                result = None if method.package == "twofold" else file.get(name)
                if reason is None and result is None:
                    if key not in workers:
                        workers[key] = stack.enter_context(Worker(key))
                    reply = workers[key].run(path, division, SEED)
                    result = _read_reply(data, division, key, reply)
                    file.put(name, result)
                result = result or Result(data.name, division, key, None, reason or "")
                report_progress(result)
                yield result


def _iterate_runs(
    data: Dataset, methods: Mapping[str, Method], divided: bool
) -> Iterator[tuple[str, str, Method]]:
    for division in DIVISIONS if divided else ["two"]:
        for key, method in methods.items():
            if division in method.divisions and (
                data.groups is not None or not method.needs_groups
            ):
                yield division, key, method


def _read_reply(data: Dataset, division: str, key: str, reply: dict[str, object]) -> Result:
    if "reason" in reply:
        reason = textwrap.shorten(str(reply["reason"]), 110, placeholder=" …")
        return Result(data.name, division, key, None, reason)
    return Result(data.name, division, key, TypeAdapter(Run).validate_python(reply))
