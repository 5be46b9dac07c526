"""Run the command in a child process that is stopped, is killed or gets an error at a chosen system call that changes files.

A point is a system call that creates, renames, links, removes, writes or flushes a file or a folder below `root`. An audit hook
counts most calls; replacements of `os.fsync` and `io.open` count flushes and writes, which have no audit event.
"""

import errno
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twofold_command import signals
from twofold_command.main import run_command

FAIL = 0
"""An action besides the signals: the call fails with ENOSPC."""

_NAMES = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link"}
_WRITES = os.O_WRONLY | os.O_RDWR


@dataclass(slots=True)
class Operation:
    """A call: mkdir, rmdir, remove, rename, link, create, write or fsync. `content` is the content of the file at an fsync."""

    call: str
    paths: tuple[Path, ...]
    content: bytes | None = None


@dataclass(slots=True)
class PointCounter:
    """Counts the points below `root` and calls `act` at the point `target`, counted from 1. With target 0 it only counts."""

    root: Path
    target: int = 0
    act: Callable[[], None] = lambda: None
    operations: list[Operation] = field(default_factory=list)

    def record_call(self, call: str, *paths: Any, content: bytes | None = None) -> bool:
        """Records a call and returns whether it is the target. Calls `act`, except for a write, where the caller does."""
        below = tuple(Path(os.fsdecode(path)) for path in paths)
        if not all(path.is_relative_to(self.root) for path in below):
            return False
        self.operations.append(Operation(call, below, content))
        is_target = len(self.operations) == self.target
        if is_target and call != "write":
            self.act()
        return is_target


def install_watchers(points: PointCounter) -> None:
    """Installs the watchers, which stay until the end of the process."""
    sys.addaudithook(lambda event, arguments: _handle_audit_event(points, event, arguments))
    _watch_flushes(points)
    _watch_writes(points)


def run_interrupted(arguments: Sequence[str], root: Path, target: int, action: int) -> int:
    """Runs `twofold` in a child process and returns the status of os.waitpid. Standard error goes to `root`/../errors."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        _redirect(root)
        signals.install_handlers()
        install_watchers(PointCounter(root, target, lambda: _interrupt(action)))
        code = run_command(arguments)
        sys.stderr.flush()
        os._exit(code)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def record_operations(arguments: Sequence[str], root: Path) -> list[Operation]:
    """Returns the operations of a run without interruption in this process. The watchers stay installed."""
    points = PointCounter(root)
    install_watchers(points)
    assert run_command(arguments) == 0
    return list(points.operations)


def _redirect(root: Path) -> None:
    for stream, name in ((sys.stdout, "output"), (sys.stderr, "errors")):
        file = os.open(root.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream.fileno())


def _interrupt(action: int) -> None:
    if action == FAIL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.kill(os.getpid(), action)


def _handle_audit_event(points: PointCounter, event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NAMES:
        count = 2 if event in ("os.rename", "os.link") else 1
        points.record_call(event.removeprefix("os."), *_resolve_paths(arguments, count))
    elif event == "open" and _is_creation(arguments):
        points.record_call("create", arguments[0])


def _is_creation(arguments: tuple[Any, ...]) -> bool:
    path, _, flags = arguments
    if not isinstance(path, str) or not isinstance(flags, int) or not flags & _WRITES:
        return False
    return not Path(path).exists()


def _resolve_paths(arguments: tuple[Any, ...], count: int) -> list[str]:
    """Returns absolute paths: `shutil.rmtree` passes names relative to an open folder, and the folder's descriptor last."""
    folder = arguments[-1] if isinstance(arguments[-1], int) and arguments[-1] >= 0 else None
    paths = [os.fsdecode(path) for path in arguments[:count]]
    if count == 1 and folder is not None and not Path(paths[0]).is_absolute():
        return [str(Path(f"/proc/self/fd/{folder}").readlink() / paths[0])]
    return paths


def _watch_flushes(points: PointCounter) -> None:
    """Replaces os.fsync by a recorder without a flush: written data survives a kill, and power cuts use a model of the disk."""

    def record_flush(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        points.record_call("fsync", path, content=path.read_bytes() if path.is_file() else None)

    os.fsync = record_flush  # type: ignore[assignment]


def _watch_writes(points: PointCounter) -> None:
    opened = io.open

    class File(io.FileIO):
        def write(self, data: Any) -> int:
            view = memoryview(data).cast("B")
            if not points.record_call("write", self.name):
                return super().write(view)
            half = len(view) // 2
            written = super().write(view[:half])
            points.act()
            return written + super().write(view[half:])

    def open_watched(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return opened(file, mode, *rest, **named)
        raw = File(os.fspath(file), mode.replace("b", "").replace("t", ""))
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return (
            buffered if "b" in mode else io.TextIOWrapper(buffered, encoding=named.get("encoding"))
        )

    io.open = open_watched


def get_signal(status: int) -> int:
    """Returns the signal that ended a process, or 0."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


KILL, INTERRUPT, TERMINATE = signal.SIGKILL, signal.SIGINT, signal.SIGTERM
