"""Worker processes. A process that dies fails its own invocation only, and another takes its place."""

import json
import multiprocessing
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Event

from local.worker import Answer, Invocation, main
from twofold.settings import Function

_PRELOADED = ["local.worker", *(function.handler.rpartition(".")[0] for function in Function)]


@dataclass(slots=True)
class Worker:
    process: BaseProcess
    connection: Connection


@dataclass(slots=True)
class Pool:
    """`size` processes that do `work`; `invoke` waits for a free one. Thread-safe."""

    size: int
    log: str
    work: Callable[[Connection, str], None] = main
    _idle: queue.SimpleQueue[Worker] = field(default_factory=queue.SimpleQueue)
    workers: dict[int, Worker] = field(default_factory=dict)
    _stopping: Event = field(default_factory=Event)

    def start(self) -> None:
        for _ in range(self.size):
            self._idle.put(self._spawn())

    def _spawn(self) -> Worker:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        ours, theirs = context.Pipe()
        process = context.Process(target=self.work, args=(theirs, self.log), daemon=True)
        process.start()
        theirs.close()
        worker = Worker(process, ours)
        self.workers[process.pid or 0] = worker
        return worker

    def invoke(self, invocation: Invocation) -> Answer:
        worker = self._idle.get()
        try:
            worker.connection.send(invocation)
            answer: Answer = worker.connection.recv()
        except (EOFError, OSError):
            answer = self._bury(worker)
            if self._stopping.is_set():
                return answer
            worker = self._spawn()
        self._idle.put(worker)
        return answer

    def _bury(self, worker: Worker) -> Answer:
        worker.connection.close()
        worker.process.join()
        self.workers.pop(worker.process.pid or 0, None)
        code = worker.process.exitcode
        said = {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"The process exited with {code}.",
        }
        return Answer(json.dumps(said).encode(), "Runtime.ExitError", 0)

    def stop(self) -> None:
        self._stopping.set()
        for worker in list(self.workers.values()):
            worker.process.kill()
            worker.process.join()
