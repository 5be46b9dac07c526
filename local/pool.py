"""A pool of worker processes. One that dies while it works fails its own invocation only, and another takes its place.

So does one whose function takes more memory than it has where it is deployed: it is killed. Without /proc (macOS) memory is
not watched.
"""

import json
import queue
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

from local.forks import ForkServer, NotBegunError, NoWorkerError, OutOfMemoryError, Worker
from local.worker import Answer, Invocation

_ATTEMPTS = 3


@dataclass(slots=True)
class Pool:
    """`size` workers; `invoke` waits for a free one. `workers` has those that are alive, by pid. Thread-safe."""

    size: int
    forks: ForkServer
    workers: dict[int, Worker] = field(default_factory=dict)
    _idle: "queue.SimpleQueue[Worker | None]" = field(default_factory=queue.SimpleQueue)
    _stopping: Event = field(default_factory=Event)

    def start(self) -> None:
        """Raises NoWorkerError."""
        for _ in range(self.size):
            self._idle.put(self._spawn())

    def _spawn(self) -> Worker:
        worker = self.forks.spawn()
        self.workers[worker.pid] = worker
        return worker

    def invoke(self, invocation: Invocation) -> Answer:
        """A worker that died while it was idle is replaced, and its successor runs the invocation."""
        worker = self._idle.get()
        try:
            worker = self._begin(worker, invocation)
            answer = worker.finish()
            if answer is not None:
                return answer
            dead, worker = worker, None
            code = self._bury(dead)
            return _failure(
                "The process ended." if code is None else f"The process exited with {code}."
            )
        except OutOfMemoryError:
            if worker:
                self._bury(worker)
            worker = None
            return _failure(
                f"RequestId: {invocation.request_id} Error: Runtime exited with error: signal: killed",
                "Runtime.OutOfMemory",
            )
        except NoWorkerError as error:
            worker = None
            return _failure(str(error))
        finally:
            self._idle.put(worker or self._replace())

    def _begin(self, worker: Worker | None, invocation: Invocation) -> Worker:
        """The worker that has begun. Raises NoWorkerError."""
        for _ in range(_ATTEMPTS):
            if self._stopping.is_set():
                raise NoWorkerError("The emulator is stopping.")
            worker = worker or self._spawn()
            with suppress(NotBegunError):
                worker.begin(invocation)
                return worker
            self._bury(worker)
            worker = None
        raise NoWorkerError(f"{_ATTEMPTS} worker processes ended before they began.")

    def _replace(self) -> Worker | None:
        """None leaves it to the next invocation."""
        if not self._stopping.is_set():
            with suppress(NoWorkerError):
                return self._spawn()
        return None

    def _bury(self, worker: Worker) -> int | None:
        self.workers.pop(worker.pid, None)
        return worker.bury()

    def kill(self) -> None:
        """Kill the workers, busy or not; the pool goes on."""
        for worker in list(self.workers.values()):
            worker.kill()

    def stop(self) -> None:
        """Kill the workers and wait for the idle ones; who waits for a busy one hears of its end."""
        self._stopping.set()
        self.kill()
        with suppress(queue.Empty):
            while True:
                idle = self._idle.get_nowait()
                if idle:
                    self._bury(idle)


def _failure(message: str, kind: str = "Runtime.ExitError") -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind, 0)
