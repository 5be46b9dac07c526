"""The program of the worker processes: `python -I -S worker.py CONTROL BUNDLE [SETUP]`.

The first process is a fork server: it imports the handlers from the bundle, then forks a worker for each pair of descriptors
received on the socket CONTROL (the worker's connection and a pipe for the exit code). A worker runs one handler at a time, in
the environment of the function, like a Lambda sandbox. The emulator's own process imports this module for the message types.
"""

import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.connection import Connection
from runpy import run_path

MAX_RESPONSE_BYTES = 6 * 1024 * 1024
STARTED = struct.Struct("q")
"""Sent before an invocation runs; if a worker ends without sending this, another worker may run the invocation. The value is
the limit of the worker's anonymous memory in bytes, or 0 where memory cannot be measured."""

_KIBIBYTE, _MEBIBYTE = 1024, 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")
_CAPABILITY_VERSION, _DAC_OVERRIDE = 0x20080522, 1 << 1
_EXIT_CODE = struct.Struct("i")


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event for a function. `handler` is `module.function`, `event` is JSON."""

    handler: str
    arn: str
    request_id: str
    memory_mb: int
    environment: dict[str, str] = field(repr=False)
    event: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """The payload of Lambda's response, the name of the exception (empty on success), and the resources used.

    `peak_bytes` is the peak resident size during the invocation; without /proc, the peak since the process started.
    `peak_anonymous_bytes` is the peak of anonymous memory, 0 where memory cannot be measured.
    """

    payload: bytes
    error: str
    peak_bytes: int
    cpu_seconds: float = 0
    peak_anonymous_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """The attributes of Lambda's context object that handlers use."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: int


def run_fork_server(control: socket.socket, bundle: str, setup: str = "") -> None:
    """Fork workers until the other end of `control` closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _remove_dac_override()
    sys.path.insert(0, bundle)
    _load_handlers()
    if setup:
        run_path(setup)
    preloaded_bytes = sum(read_memory_bytes())
    children: dict[int, int] = {}
    wakeup = _create_child_wakeup()
    while True:
        ready: list[int] = select.select([control.fileno(), wakeup], [], [])[0]
        if wakeup in ready:
            os.read(wakeup, 512)
            _report_exit_codes(children)
        if control.fileno() in ready and not _fork_worker(control, children, preloaded_bytes):
            return


def _load_handlers() -> None:
    """Import the handlers. A failed import fails the invocations of the function, as in Lambda."""
    from twofold.settings import Function

    for function in Function:
        with suppress(Exception):
            import_module(function.handler.rpartition(".")[0])


def _remove_dac_override() -> None:
    """Drop the capability with which root ignores file permissions: the bundle is read-only, like /var/task."""
    if sys.platform != "linux" or os.geteuid():
        return
    libc = ctypes.CDLL(None)
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    capabilities = (ctypes.c_uint32 * 6)()
    libc.capget(header, capabilities)
    for index in (0, 1):  # effective, permitted
        capabilities[index] &= ~_DAC_OVERRIDE
    libc.capset(header, capabilities)


def _create_child_wakeup() -> int:
    """Return a file descriptor that becomes readable when a child process ends."""
    wakeup, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wakeup


def _report_exit_codes(children: dict[int, int]) -> None:
    """Write the exit codes of ended children to the pipes of these children. `children` has the pipes by pid."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        pipe = children.pop(pid)
        with suppress(BrokenPipeError):
            os.write(pipe, _EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))
        os.close(pipe)


def _fork_worker(control: socket.socket, children: dict[int, int], preloaded_bytes: int) -> bool:
    """Fork a worker for the next message of `control`. Return False when the other end has closed."""
    message, descriptors, _, _ = socket.recv_fds(control, 1, 2)
    if not message:
        return False
    connection, pipe = descriptors
    pid = os.fork()
    if pid:
        os.close(connection)
        children[pid] = pipe
        return True
    control.close()
    for inherited in (pipe, *children.values()):
        os.close(inherited)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        _run_invocations(Connection(connection), preloaded_bytes)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)


def read_exit_code(pipe: int) -> int | None:
    """Wait for the end of a worker and return the exit code, or None if the fork server has ended, too."""
    packed = os.read(pipe, _EXIT_CODE.size)
    return int(_EXIT_CODE.unpack(packed)[0]) if packed else None


def read_memory_bytes(process: int | str = "self") -> tuple[int, int]:
    """Return the resident memory of a process as (anonymous bytes, file bytes); (0, 0) without /proc or without the process."""
    try:
        with open(f"/proc/{process}/statm") as statm:  # noqa: PTH123 Path.open is slower, and the pool reads this 50 times a second
            _, resident_pages, file_pages, *_ = map(int, statm.read().split())
    except (OSError, ValueError):
        return 0, 0
    return (resident_pages - file_pages) * _PAGE, file_pages * _PAGE


def _start_measuring_memory(memory_mb: int, preloaded_bytes: int) -> int:
    """Reset the kernel's peak of this process. Return the limit of anonymous memory in bytes, 0 if that fails.

    The limit is the memory in use now plus the function's memory minus `preloaded_bytes`: the runtime and the imported modules
    count, as in Lambda, and memory left by invocations of other functions does not.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        with open("/proc/self/clear_refs", "w") as clear_refs:  # noqa: PTH123
            clear_refs.write("5")
        return read_memory_bytes()[0] + memory_mb * _MEBIBYTE - preloaded_bytes
    return 0


def _run_invocations(connection: Connection, preloaded_bytes: int) -> None:
    """Run invocations from `connection` and send the results, until the other end closes."""
    connection.send(os.getpid())
    while True:
        try:
            invocation = Invocation(*connection.recv())
            memory_limit = _start_measuring_memory(invocation.memory_mb, preloaded_bytes)
            connection.send_bytes(STARTED.pack(memory_limit))
            started_at = time.process_time()
            result = replace(_invoke(invocation), cpu_seconds=time.process_time() - started_at)
            # File pages stay resident once read, so the current number is an upper bound of the number at the peak.
            anonymous_bytes = result.peak_bytes - read_memory_bytes()[1] if memory_limit else 0
            result = replace(result, peak_anonymous_bytes=anonymous_bytes)
            connection.send(
                tuple(getattr(result, name) for name in InvocationResult.__dataclass_fields__)
            )
        except (EOFError, ConnectionError):
            return


def _invoke(invocation: Invocation) -> InvocationResult:
    try:
        payload = _call_handler(invocation)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        error_payload = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return InvocationResult(
            json.dumps(error_payload).encode(), type(error).__name__, _read_peak_bytes()
        )
    return InvocationResult(payload, "", _read_peak_bytes())


def _call_handler(invocation: Invocation) -> bytes:
    os.environ.clear()
    os.environ.update(invocation.environment)
    module, _, function = invocation.handler.rpartition(".")
    context = Context(
        function_name=invocation.arn.rpartition(":")[2],
        invoked_function_arn=invocation.arn,
        aws_request_id=invocation.request_id,
        memory_limit_in_mb=invocation.memory_mb,
    )
    response = getattr(import_module(module), function)(json.loads(invocation.event), context)
    payload = json.dumps(response).encode()
    if len(payload) > MAX_RESPONSE_BYTES:
        raise ResponseSizeTooLargeError(f"The response has {len(payload)} bytes.")
    return payload


def _read_peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


class ResponseSizeTooLargeError(Exception):
    """The handler's response is larger than the 6 MB that Lambda allows."""


if __name__ == "__main__":
    run_fork_server(socket.socket(fileno=int(sys.argv[1])), *sys.argv[2:])
