"""The program of the worker processes: `python -I -S worker.py CONTROL BUNDLE [SETUP]`.

It runs from its path, on Python's own library and the bundle. The process itself is a fork server: it loads the handlers, and
becomes a worker by a fork for each pair of descriptors that comes through the socket CONTROL: the worker's connection, and a
pipe for its exit code. A worker runs one handler at a time, in its function's environment, as a Lambda sandbox does.

The pool's process imports this module too, for the records.
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

MAX_ANSWER_BYTES = 6 * 1024 * 1024
BEGUN = struct.Struct("q")
"""Sent before an invocation runs: if the worker ends without it, another one may run the invocation. It holds the worker's
anonymous memory at which the function is out of memory, in bytes; 0 where that cannot be measured."""

_KIBIBYTE, _MEBIBYTE = 1024, 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")
_CAPABILITY_VERSION, _DAC_OVERRIDE = 0x20080522, 1 << 1
_CODE = struct.Struct("i")


@dataclass(frozen=True, slots=True)
class Invocation:
    """`handler` is `module.function`; `event` is JSON text."""

    handler: str
    arn: str
    request_id: str
    memory_mb: int
    environment: dict[str, str] = field(repr=False)
    event: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`error` is empty, or the name of the exception; `payload` is what Lambda would answer with. `peak_bytes` is the
    largest resident size during the invocation (where there is no /proc: of the process so far), `cpu_seconds` what this
    invocation took, `peak_anonymous_bytes` the largest anonymous memory during it, 0 where that cannot be measured."""

    payload: bytes
    error: str
    peak_bytes: int
    cpu_seconds: float = 0
    peak_anonymous_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """The part of Lambda's context object that handlers may use."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: int


def serve(control: socket.socket, bundle: str, setup: str = "") -> None:
    """Fork workers until the other end of `control` closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _give_up_override()
    sys.path.insert(0, bundle)
    _load_handlers()
    if setup:
        run_path(setup)
    preloaded = sum(memory_bytes())
    children: dict[int, int] = {}
    woken = _wake_for_children()
    while True:
        ready: list[int] = select.select([control.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 512)
            _reap(children)
        if control.fileno() in ready and not _fork(control, children, preloaded):
            return


def _load_handlers() -> None:
    """One that cannot be loaded fails its own function's invocations, as in Lambda."""
    from twofold.settings import Function

    for function in Function:
        with suppress(Exception):
            import_module(function.handler.rpartition(".")[0])


def _give_up_override() -> None:
    """Root writes to what is read-only, unless it gives up that capability; nobody writes to /var/task."""
    if sys.platform != "linux" or os.geteuid():
        return
    libc = ctypes.CDLL(None)
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    held = (ctypes.c_uint32 * 6)()
    libc.capget(header, held)
    for index in (0, 1):  # effective, permitted
        held[index] &= ~_DAC_OVERRIDE
    libc.capset(header, held)


def _wake_for_children() -> int:
    """A descriptor that can be read when a child has ended."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def _reap(children: dict[int, int]) -> None:
    """Write the exit codes of children that have ended to their pipes."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        pipe = children.pop(pid)
        with suppress(BrokenPipeError):
            os.write(pipe, _CODE.pack(os.waitstatus_to_exitcode(status)))
        os.close(pipe)


def _fork(control: socket.socket, children: dict[int, int], preloaded: int) -> bool:
    """False when the other end has closed."""
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
        _work(Connection(connection), preloaded)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)


def exit_code(pipe: int) -> int | None:
    """Wait for the end of a worker; None if nobody is left who knows its code."""
    packed = os.read(pipe, _CODE.size)
    return int(_CODE.unpack(packed)[0]) if packed else None


def memory_bytes(process: int | str = "self") -> tuple[int, int]:
    """The resident memory of a process: (anonymous, of files). (0, 0) where there is no /proc, or no such process."""
    try:
        with open(f"/proc/{process}/statm") as statm:  # noqa: PTH123 for each call, many times a second
            _, resident, of_files, *_ = map(int, statm.read().split())
    except (OSError, ValueError):
        return 0, 0
    return (resident - of_files) * _PAGE, of_files * _PAGE


def _begin_to_measure(memory_mb: int, preloaded: int) -> int:
    """The anonymous memory at which the function is out of memory, as BEGUN has it.

    `preloaded` bytes count once, as the part of Lambda's sandbox that its runtime and the modules take. What other functions
    have left in this process does not count.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        with open("/proc/self/clear_refs", "w") as peak:  # noqa: PTH123
            peak.write("5")
        return memory_bytes()[0] + memory_mb * _MEBIBYTE - preloaded
    return 0


def _work(connection: Connection, preloaded: int) -> None:
    """Answer invocations until the other end closes."""
    connection.send(os.getpid())
    while True:
        try:
            invocation = Invocation(*connection.recv())
            limit = _begin_to_measure(invocation.memory_mb, preloaded)
            connection.send_bytes(BEGUN.pack(limit))
            began = time.process_time()
            answer = replace(_answer(invocation), cpu_seconds=time.process_time() - began)
            # Pages of files stay once they are read, so these are at most too many for the moment of the peak.
            anonymous = answer.peak_bytes - memory_bytes()[1] if limit else 0
            answer = replace(answer, peak_anonymous_bytes=anonymous)
            connection.send(tuple(getattr(answer, name) for name in Answer.__dataclass_fields__))
        except (EOFError, ConnectionError):
            return


def _answer(invocation: Invocation) -> Answer:
    try:
        payload = _run(invocation)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        said = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return Answer(json.dumps(said).encode(), type(error).__name__, _peak_bytes())
    return Answer(payload, "", _peak_bytes())


def _run(invocation: Invocation) -> bytes:
    os.environ.clear()
    os.environ.update(invocation.environment)
    module, _, function = invocation.handler.rpartition(".")
    context = Context(
        function_name=invocation.arn.rpartition(":")[2],
        invoked_function_arn=invocation.arn,
        aws_request_id=invocation.request_id,
        memory_limit_in_mb=invocation.memory_mb,
    )
    result = getattr(import_module(module), function)(json.loads(invocation.event), context)
    payload = json.dumps(result).encode()
    if len(payload) > MAX_ANSWER_BYTES:
        raise ResponseSizeTooLargeError(f"The answer has {len(payload)} bytes.")
    return payload


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


class ResponseSizeTooLargeError(Exception):
    """Lambda answers with 6 MB at most."""


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), *sys.argv[2:])
