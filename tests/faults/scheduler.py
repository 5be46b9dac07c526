"""A scheduler of processes with turns: a seed determines the interleaving.

Each process is a thread waiting for turns.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.faults import Killed


@dataclass(eq=False)
class Process:
    """`killed`: the process ends at the next turn."""

    name: str
    run: Callable[[], object]
    function: str = ""
    killed: bool = False
    ended: bool = False
    error: BaseException | None = None
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@dataclass
class Scheduler:
    """Runs one process at a time; `random` chooses the next."""

    random: Random
    processes: list[Process] = field(default_factory=list)
    _current: threading.local = field(default_factory=threading.local)
    _turn_over: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self, name: str, run: Callable[[], object]) -> Process:
        process = Process(name, run)
        self.processes.append(process)
        threading.Thread(target=self._run_process, args=(process,), daemon=True).start()
        return process

    def _run_process(self, process: Process) -> None:
        self._current.process = process
        process.turn.acquire()
        try:
            if not process.killed:
                process.run()
        except Killed:
            pass
        except BaseException as error:
            process.error = error
        process.ended = True
        self._turn_over.release()

    def pause(self) -> None:
        """End the turn of the current process. Return at once outside of processes."""
        process = self.get_current()
        if process is None:
            return
        self._turn_over.release()
        process.turn.acquire()
        if process.killed:
            raise Killed

    def get_current(self) -> Process | None:
        """Return the process of this thread; None outside of processes."""
        process: Process | None = getattr(self._current, "process", None)
        return process

    def get_current_name(self) -> str:
        """Return the name of the running function, or of the process."""
        process = self.get_current()
        return (process.function or process.name) if process else "test"

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Give turns until all processes have ended; raise the first error of a process. Call `between` after each turn."""
        while self.processes:
            process = self.random.choice(self.processes)
            for _ in range(self.random.choice((1, 1, 2, 5, 20))):
                process.turn.release()
                self._turn_over.acquire()
                if process.ended:
                    self.processes.remove(process)
                    break
            if process.error:
                self._kill_all()
                raise process.error
            between()

    def _kill_all(self) -> None:
        for process in self.processes:
            process.killed = True
            while not process.ended:
                process.turn.release()
                self._turn_over.acquire()
        self.processes.clear()
