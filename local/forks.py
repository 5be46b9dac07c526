"""The pool's side of worker processes: a fork server that runs `local/worker.py` on the bundle, and the workers it forks."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

from local import worker
from local.worker import BEGUN, Answer, Invocation

_PROGRAM = Path(worker.__file__)
# Isolated and without site-packages: nothing that is installed for this process can be imported there.
_PYTHON = (sys.executable, "-I", "-S", "-u", "-W", "ignore::DeprecationWarning")
_NEEDED_TO_START = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# No folder, as in Lambda: botocore looks for models in the home folder's .aws/models.
_HOME = os.devnull
_ATTEMPTS = 3
_LOG_LINES = 20
_WATCH_SECONDS = 0.02
"""How often the memory of a worker is looked at. What is shorter is seen in its peak, when it answers."""


class NoWorkerError(Exception):
    """The fork server ends again and again before it gives a worker."""


class OutOfMemoryError(Exception):
    """The invocation took more memory than its function has. The worker is killed, as Lambda's is."""


class NotBegunError(Exception):
    """The worker had ended before it began; another one may have the invocation."""


@dataclass(slots=True)
class Worker:
    """A process that runs one invocation at a time."""

    pid: int
    connection: Connection
    _pipe: int
    _limit: int = 0

    def begin(self, invocation: Invocation) -> None:
        """Raises NotBegunError if the process has ended before it began."""
        names = Invocation.__dataclass_fields__
        try:
            self.connection.send(tuple(getattr(invocation, name) for name in names))
            (self._limit,) = BEGUN.unpack(self.connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise NotBegunError from error

    def finish(self) -> Answer | None:
        """The answer, or None if the process ended while it worked. Raises OutOfMemoryError."""
        with suppress(EOFError, OSError):
            while self._limit and not self.connection.poll(_WATCH_SECONDS):
                self._require_memory(worker.memory_bytes(self.pid)[0])
            answer = Answer(*self.connection.recv())
            self._require_memory(answer.peak_anonymous_bytes)
            return answer
        return None

    def _require_memory(self, used: int) -> None:
        if self._limit and used > self._limit:
            self.kill()
            raise OutOfMemoryError

    def bury(self) -> int | None:
        """The exit code of a process that has ended; None if the fork server has, too."""
        self.connection.close()
        try:
            return worker.exit_code(self._pipe)
        finally:
            os.close(self._pipe)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@dataclass(slots=True)
class ForkServer:
    """Forks workers that know the bundle and nothing else; a server that has ended is replaced. Thread-safe.

    `setup` is a Python file that the server runs once before it forks: tests change sizes of the service with it.
    """

    bundle: Path
    log: Path
    setup: Path | None = None
    _server: "subprocess.Popen[bytes] | None" = None
    _control: socket.socket | None = None
    _lock: Lock = field(default_factory=Lock)

    def start(self) -> None:
        """Begin to load the handlers; a worker can be asked for at once."""
        ours, theirs = socket.socketpair()
        arguments = [str(_PROGRAM), str(theirs.fileno()), str(self.bundle)]
        arguments += [str(self.setup)] if self.setup else []
        needed = {name: os.environ[name] for name in _NEEDED_TO_START if name in os.environ}
        with self.log.open("ab") as log, theirs:
            self._server = subprocess.Popen(  # noqa: S603
                [*_PYTHON, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**needed, "HOME": _HOME},
                pass_fds=[theirs.fileno()],
                # Ctrl-C in a terminal is for the process that runs the emulator.
                process_group=0,
            )
        self._control = ours

    def spawn(self) -> Worker:
        """A new worker. Raises NoWorkerError with the end of the log."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                if self._server is None:
                    self.start()
                with suppress(EOFError, OSError):
                    return self._ask()
                self._end()
        last = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        raise NoWorkerError("\n".join(["No worker process could be started:", *last]))

    def _ask(self) -> Worker:
        """Raises EOFError or OSError when the server has ended."""
        assert self._control is not None  # noqa: S101
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        connection = Connection(ours.detach())
        try:
            with theirs:
                socket.send_fds(self._control, [b"f"], [theirs.fileno(), write])
            os.close(write)
            return Worker(connection.recv(), connection, read)
        except BaseException:
            connection.close()
            os.close(read)
            raise

    def _end(self) -> None:
        if self._control:
            self._control.close()
        if self._server:
            self._server.kill()
            self._server.wait()
        self._server = self._control = None

    def stop(self) -> None:
        """Workers are stopped by who asked for them."""
        with self._lock:
            self._end()
