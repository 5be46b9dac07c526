"""What publication needs of a file system: flushing to the disk, removal, and one writer to a folder at a time."""

import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twofold_command import stops
from twofold_command.errors import CommandError

if sys.platform != "win32":
    import fcntl

_TRIES = 20
_PAUSE_SECONDS = 0.05


def sync_files(folder: Path) -> None:
    """Returns when the files of the folder and their names are on the disk; raises OSError."""
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            sync_file(path)
    sync_folder(folder)


def sync_file(path: Path) -> None:
    with path.open("rb+" if sys.platform == "win32" else "rb") as file:
        if sys.platform == "darwin":
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
        else:
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Returns when the names in the folder are on the disk, where the system can promise it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot flush a folder, and need not.
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Removes a file or a folder. Does nothing where there is none, and leaves what cannot be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def created_folders(folder: Path) -> Iterator[None]:
    """The folder exists in the block; if the block fails, what was created for it is removed."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_folder(path.parent)
        yield
    except BaseException:
        with stops.held_back():
            for path in missing:
                with suppress(OSError):
                    path.rmdir()
        raise


@contextmanager
def locked(
    folder: Path, *, create: bool = False, owner: Path | None = None, tries: int = _TRIES
) -> Iterator[bool]:
    """No other command has the folder locked while the block runs; False where the file system has no locks for folders.

    The kernel releases the lock when the process ends. `create` makes the folder; `owner` is the one that messages name.
    Raises CommandError if another command does not release it within a second.
    """
    if sys.platform == "win32":
        if create:
            folder.mkdir(exist_ok=True)
        yield False
        return
    for attempt in range(tries):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        if create:
            folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            exclusive = _try_to_lock(descriptor)
            if exclusive is not None and _is_still(folder, descriptor):
                yield exclusive
                return
        finally:
            os.close(descriptor)
    raise CommandError(
        f"Another command is writing to {owner or folder}. Wait until it has ended, or choose another output folder."
    )


def _try_to_lock(descriptor: int) -> bool | None:
    """None where another process has the lock, False where there are no locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held = error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
        return None if held else False
    return True


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether the path names the folder that was locked: another command may have renamed or removed it in between."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
