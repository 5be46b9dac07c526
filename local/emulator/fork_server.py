"""Clients of the worker processes: start the fork server (`worker.py`), request workers, exchange messages with a worker."""

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

from local.emulator import worker
from local.emulator.worker import STARTED, Invocation, InvocationResult

_PROGRAM = Path(worker.__file__)
# Isolated and without site-packages: nothing that is installed for this process can be imported there.
_PYTHON = (sys.executable, "-I", "-S", "-u", "-W", "ignore::DeprecationWarning")
_NEEDED_TO_START = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# Not a folder, so that botocore finds no models in ~/.aws/models. Lambda has no home folder either.
_HOME = os.devnull
_ATTEMPTS = 3
_LOG_LINES = 20
_WATCH_SECONDS = 0.02
"""Interval of the memory checks. A shorter peak is detected from the peak that the result reports."""


class NoWorkerError(Exception):
    """The fork server ended before it forked a worker, in each of several attempts."""


class OutOfMemoryError(Exception):
    """The invocation used more memory than the function has. The worker is killed, as in Lambda."""


class NotStartedError(Exception):
    """The worker ended before the invocation started, so another worker may run the invocation."""


@dataclass(slots=True)
class Worker:
    """A process that runs one invocation at a time."""

    pid: int
    connection: Connection
    _exit_code_pipe: int
    _memory_limit: int = 0

    def start(self, invocation: Invocation) -> None:
        """Start an invocation. Raises NotStartedError if the process ended before the handler was called."""
        names = Invocation.__dataclass_fields__
        try:
            self.connection.send(tuple(getattr(invocation, name) for name in names))
            (self._memory_limit,) = STARTED.unpack(self.connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise NotStartedError from error

    def wait_for_result(self) -> InvocationResult | None:
        """Return the result, or None if the process ended during the invocation. Raises OutOfMemoryError."""
        with suppress(EOFError, OSError):
            while self._memory_limit and not self.connection.poll(_WATCH_SECONDS):
                self._check_memory(worker.read_memory_bytes(self.pid)[0])
            result = InvocationResult(*self.connection.recv())
            self._check_memory(result.peak_anonymous_bytes)
            return result
        return None

    def _check_memory(self, used_bytes: int) -> None:
        if self._memory_limit and used_bytes > self._memory_limit:
            self.kill()
            raise OutOfMemoryError

    def collect_exit_code(self) -> int | None:
        """Close the connection of an ended process. Return the exit code, or None if the fork server has ended, too."""
        self.connection.close()
        try:
            return worker.read_exit_code(self._exit_code_pipe)
        finally:
            os.close(self._exit_code_pipe)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@dataclass(slots=True)
class ForkServer:
    """A fork server for workers that import the bundle only. An ended server is restarted on demand. Thread-safe.

    `setup` is a Python file that the server runs once before the first fork; tests use this to change constants.
    """

    bundle: Path
    log: Path
    setup: Path | None = None
    _process: "subprocess.Popen[bytes] | None" = None
    _control: socket.socket | None = None
    _lock: Lock = field(default_factory=Lock)

    def start(self) -> None:
        """Start the process, which then imports the handlers. `spawn` may be called at once."""
        parent_socket, child_socket = socket.socketpair()
        arguments = [str(_PROGRAM), str(child_socket.fileno()), str(self.bundle)]
        arguments += [str(self.setup)] if self.setup else []
        environment = {name: os.environ[name] for name in _NEEDED_TO_START if name in os.environ}
        with self.log.open("ab") as log, child_socket:
            self._process = subprocess.Popen(  # noqa: S603
                [*_PYTHON, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environment, "HOME": _HOME},
                pass_fds=[child_socket.fileno()],
                # Ctrl-C in a terminal is for the process that runs the emulator.
                process_group=0,
            )
        self._control = parent_socket

    def spawn(self) -> Worker:
        """Return a new worker. Raises NoWorkerError with the last lines of the log."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                if self._process is None:
                    self.start()
                with suppress(EOFError, OSError):
                    return self._request_worker()
                self._terminate()
        log_lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        raise NoWorkerError("\n".join(["No worker process could be started:", *log_lines]))

    def _request_worker(self) -> Worker:
        """Return a new worker. Raises EOFError or OSError when the server has ended."""
        assert self._control is not None  # noqa: S101
        parent_socket, child_socket = socket.socketpair()
        read_end, write_end = os.pipe()
        connection = Connection(parent_socket.detach())
        try:
            with child_socket:
                socket.send_fds(self._control, [b"f"], [child_socket.fileno(), write_end])
            os.close(write_end)
            return Worker(connection.recv(), connection, read_end)
        except BaseException:
            connection.close()
            os.close(read_end)
            raise

    def _terminate(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def stop(self) -> None:
        """Stop the server. The callers of `spawn` stop the workers."""
        with self._lock:
            self._terminate()
