"""File system operations for publication: flush to the disk, remove, create, and lock a folder."""

import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twofold_command import signals
from twofold_command.errors import CommandError

if sys.platform != "win32":
    import fcntl

_TRIES = 20
_PAUSE_SECONDS = 0.05


def sync_files(folder: Path) -> None:
    """Flushes the files of the folder and their names to the disk. Raises OSError."""
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
    """Flushes the names in the folder to the disk, on systems with support for this. Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot flush a folder, and write names at once.
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def remove_path(path: Path) -> None:
    """Removes a file or a folder, if it exists. Ignores errors."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def create_folders(folder: Path) -> Iterator[None]:
    """Creates the folder and its parents; removes the created folders again if the block fails.

    Raises CommandError if one of them is a file.
    """
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise CommandError(f"{path} is not a folder; choose another output folder.")
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_folder(path.parent)
        yield
    except BaseException:
        with signals.defer_stops():
            for path in missing:
                with suppress(OSError):
                    path.rmdir()
        raise


@contextmanager
def lock_folder(
    folder: Path, *, create: bool = False, owner: Path | None = None, tries: int = _TRIES
) -> Iterator[bool]:
    """Locks the folder for the block. Yields False on file systems without locks for folders.

    The kernel releases the lock when the process ends. `create` creates the folder; `owner` is the folder in the error message.
    Raises CommandError if another command holds the lock for more than a second.
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
            if exclusive is not None and _is_same_folder(folder, descriptor):
                yield exclusive
                return
        finally:
            os.close(descriptor)
    raise CommandError(
        f"Another command is writing to {owner or folder}. Wait for its end, or choose another output folder."
    )


def _try_to_lock(descriptor: int) -> bool | None:
    """Returns True with the lock, None if another process holds it, False if the file system has no locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        is_locked = error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
        return None if is_locked else False
    return True


def _is_same_folder(folder: Path, descriptor: int) -> bool:
    """Returns whether the path is still the locked folder: another command may have renamed or removed it before the lock."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
