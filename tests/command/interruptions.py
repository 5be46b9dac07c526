"""One run of the command in a process that is stopped, killed or refused at a chosen system call that changes files.

A point is a system call that creates, renames, links, removes, writes or flushes a file or a folder below `root`. What
Python tells its audit hooks is counted there; writes and flushes are counted where Python makes them.
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

from twofold_command import stops
from twofold_command.main import run

FAIL = 0
"""In place of a signal: the call fails with ENOSPC."""

_NAMES = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link"}
_WRITES = os.O_WRONLY | os.O_RDWR


@dataclass(slots=True)
class Operation:
    """`call` is mkdir, rmdir, remove, rename, link, create, write or fsync. `content` is that of a file at its fsync."""

    call: str
    paths: tuple[Path, ...]
    content: bytes | None = None


@dataclass(slots=True)
class Points:
    """Counts the points below `root` and acts at number `target`, counted from 1; 0 only counts."""

    root: Path
    target: int = 0
    act: Callable[[], None] = lambda: None
    operations: list[Operation] = field(default_factory=list)

    def reach(self, call: str, *paths: Any, content: bytes | None = None) -> bool:
        """Whether this is the point; `act` is called by the caller for a write, here for any other call."""
        below = tuple(Path(os.fsdecode(path)) for path in paths)
        if not all(path.is_relative_to(self.root) for path in below):
            return False
        self.operations.append(Operation(call, below, content))
        chosen = len(self.operations) == self.target
        if chosen and call != "write":
            self.act()
        return chosen


def watch(points: Points) -> None:
    """For the rest of this process."""
    sys.addaudithook(lambda event, arguments: _audit(points, event, arguments))
    _watch_flushes(points)
    _watch_writes(points)


def interrupted_run(arguments: Sequence[str], root: Path, target: int, action: int) -> int:
    """The exit status of `twofold` in a process of its own, as os.waitpid has it. Its errors go to `root`/../errors."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        _redirect(root)
        stops.listen()
        watch(Points(root, target, lambda: _act(action)))
        code = run(arguments)
        sys.stderr.flush()
        os._exit(code)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def record(arguments: Sequence[str], root: Path) -> list[Operation]:
    """The points of a run that nothing stops, made in this process: it watches from now on."""
    points = Points(root)
    watch(points)
    assert run(arguments) == 0
    return list(points.operations)


def _redirect(root: Path) -> None:
    for stream, name in ((sys.stdout, "output"), (sys.stderr, "errors")):
        file = os.open(root.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream.fileno())


def _act(action: int) -> None:
    if action == FAIL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.kill(os.getpid(), action)


def _audit(points: Points, event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NAMES:
        count = 2 if event in ("os.rename", "os.link") else 1
        points.reach(event.removeprefix("os."), *_absolute(arguments, count))
    elif event == "open" and _creates(arguments):
        points.reach("create", arguments[0])


def _creates(arguments: tuple[Any, ...]) -> bool:
    path, _, flags = arguments
    if not isinstance(path, str) or not isinstance(flags, int) or not flags & _WRITES:
        return False
    return not Path(path).exists()


def _absolute(arguments: tuple[Any, ...], count: int) -> list[str]:
    """`shutil.rmtree` names files relative to a folder that it has open, whose descriptor follows."""
    folder = arguments[-1] if isinstance(arguments[-1], int) and arguments[-1] >= 0 else None
    paths = [os.fsdecode(path) for path in arguments[:count]]
    if count == 1 and folder is not None and not Path(paths[0]).is_absolute():
        return [str(Path(f"/proc/self/fd/{folder}").readlink() / paths[0])]
    return paths


def _watch_flushes(points: Points) -> None:
    """Nothing is flushed: what a process has written outlives it, and the disk of power cuts is a model."""

    def watched(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        points.reach("fsync", path, content=path.read_bytes() if path.is_file() else None)

    os.fsync = watched  # type: ignore[assignment]


def _watch_writes(points: Points) -> None:
    opened = io.open

    class File(io.FileIO):
        def write(self, data: Any) -> int:
            view = memoryview(data).cast("B")
            if not points.reach("write", self.name):
                return super().write(view)
            half = len(view) // 2
            written = super().write(view[:half])
            points.act()
            return written + super().write(view[half:])

    def watched(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return opened(file, mode, *rest, **named)
        raw = File(os.fspath(file), mode.replace("b", "").replace("t", ""))
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return (
            buffered if "b" in mode else io.TextIOWrapper(buffered, encoding=named.get("encoding"))
        )

    io.open = watched


def stopped_by(status: int) -> int:
    """The signal that ended a process, 0 if none did."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


KILL, INTERRUPT, TERMINATE = signal.SIGKILL, signal.SIGINT, signal.SIGTERM
