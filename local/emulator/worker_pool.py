"""A pool of worker processes for the handlers of the Lambda functions.

When a worker dies, the current invocation fails and a new worker is started. A worker above the memory of the function is
killed, as in Lambda; on systems without /proc (macOS), memory is not limited.
"""

import json
import queue
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

from local.emulator.fork_server import (
    ForkServer,
    NotStartedError,
    NoWorkerError,
    OutOfMemoryError,
    Worker,
)
from local.emulator.worker import Invocation, InvocationResult

_ATTEMPTS = 3


@dataclass(slots=True)
class WorkerPool:
    """A pool of `size` workers; `workers` maps the pids of the living workers to these. Thread-safe."""

    size: int
    fork_server: ForkServer
    workers: dict[int, Worker] = field(default_factory=dict)
    _idle: "queue.SimpleQueue[Worker | None]" = field(default_factory=queue.SimpleQueue)
    _stop_requested: Event = field(default_factory=Event)

    def start(self) -> None:
        """Start all workers. Raises NoWorkerError."""
        for _ in range(self.size):
            self._idle.put(self._spawn())

    def _spawn(self) -> Worker:
        worker = self.fork_server.spawn()
        self.workers[worker.pid] = worker
        return worker

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Wait for an idle worker and run the invocation on it. A worker that died while idle is replaced first."""
        worker = self._idle.get()
        try:
            worker = self._start_invocation(worker, invocation)
            result = worker.wait_for_result()
            if result is not None:
                return result
            dead_worker, worker = worker, None
            exit_code = self._remove_worker(dead_worker)
            return _make_failure(
                "The process ended."
                if exit_code is None
                else f"The process exited with {exit_code}."
            )
        except OutOfMemoryError:
            if worker:
                self._remove_worker(worker)
            worker = None
            return _make_failure(
                f"RequestId: {invocation.request_id} Error: Runtime exited with error: signal: killed",
                "Runtime.OutOfMemory",
            )
        except NoWorkerError as error:
            worker = None
            return _make_failure(str(error))
        finally:
            self._idle.put(worker or self._replace_worker())

    def _start_invocation(self, worker: Worker | None, invocation: Invocation) -> Worker:
        """Start the invocation on `worker` or a replacement, and return the worker used. Raises NoWorkerError."""
        for _ in range(_ATTEMPTS):
            if self._stop_requested.is_set():
                raise NoWorkerError("The emulator is stopping.")
            worker = worker or self._spawn()
            with suppress(NotStartedError):
                worker.start(invocation)
                return worker
            self._remove_worker(worker)
            worker = None
        raise NoWorkerError(f"{_ATTEMPTS} worker processes ended before they began.")

    def _replace_worker(self) -> Worker | None:
        """Return a new worker, or None if there is none; then the next invocation tries again."""
        if not self._stop_requested.is_set():
            with suppress(NoWorkerError):
                return self._spawn()
        return None

    def _remove_worker(self, worker: Worker) -> int | None:
        self.workers.pop(worker.pid, None)
        return worker.collect_exit_code()

    def kill(self) -> None:
        """Kill all workers, busy or idle. The pool stays usable."""
        for worker in list(self.workers.values()):
            worker.kill()

    def stop(self) -> None:
        """Kill all workers and wait for the idle ones to end. Invocations in progress fail."""
        self._stop_requested.set()
        self.kill()
        with suppress(queue.Empty):
            while True:
                idle = self._idle.get_nowait()
                if idle:
                    self._remove_worker(idle)


def _make_failure(message: str, error_type: str = "Runtime.ExitError") -> InvocationResult:
    return InvocationResult(
        json.dumps({"errorType": error_type, "errorMessage": message}).encode(), error_type, 0
    )
