"""Atomic publication: files appear in a folder all together or not at all, whatever stops the process.

New files are written to a staging folder on the same file system and flushed to the disk. Then one rename decides:

- A folder that does not exist yet is the staging folder under its final name.
- In a folder that exists, `.twofold-new` becomes `.twofold-commit`. From then on the new files are published, and each is
  moved to its own name. A process that is killed in between leaves the rest in `.twofold-commit`, and the next command
  that reads or writes the folder moves it (`finish`).

A folder is locked as long as a command writes to it, so a staging folder without a lock is that of a killed command. Where
the file system has no locks, staging folders have random names, and the second of two publications at once fails.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twofold_command import stops
from twofold_command.disk import created_folders, locked, remove, sync_files, sync_folder
from twofold_command.errors import CommandError
from twofold_command.journal import COMMITTED, UNDOING, complete, write_plan

STAGING = ".twofold-new"


@contextmanager
def staged(out: Path, names: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write files of these names to. When the block ends well they are in `out`; otherwise nothing is left of
    them, and `out` is as it was. A file of `optional` that the block does not write is removed from `out`.

    Raises CommandError if another command writes to `out`, and OSError.
    """
    if out.exists():
        with _staged_in(out) as staging:
            yield staging
            with stops.held_back():
                _require_files(staging, names)
                _publish(staging, out, (*names, *optional))
    else:
        with _staged_beside(out) as staging:
            yield staging
            with stops.held_back():
                _require_files(staging, names)
                sync_files(staging)
                _appear(staging, out)


def finish(out: Path) -> None:
    """Completes a publication that was interrupted in `out`; does nothing where there is none. Raises CommandError."""
    if not any((out / name).is_dir() for name in (COMMITTED, UNDOING)):
        return
    try:
        with locked(out), stops.held_back():
            complete(out)
    except OSError as error:
        raise CommandError(
            f"{out} holds files of a split that was killed while it moved them to their names, and they cannot be moved "
            f"now: {error.filename}: {error.strerror}. Make the folder writable and run the command again."
        ) from error


@contextmanager
def _staged_in(out: Path) -> Iterator[Path]:
    with ExitStack() as until_done:
        with stops.held_back():
            exclusive = until_done.enter_context(locked(out))
            complete(out)
            staging = out / (STAGING if exclusive else f"{STAGING}-{secrets.token_hex(8)}")
            remove(staging)
            until_done.callback(_remove_uninterrupted, staging)
            staging.mkdir()
        yield staging


@contextmanager
def _staged_beside(out: Path) -> Iterator[Path]:
    with ExitStack() as until_done:
        with stops.held_back():
            until_done.enter_context(created_folders(out.parent))
            _remove_abandoned(out.parent)
            digest = hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
            staging = out.parent / f"{STAGING}-{digest}"
            exclusive = until_done.enter_context(locked(staging, create=True, owner=out))
            if not exclusive:
                staging = out.parent / f"{STAGING}-{secrets.token_hex(8)}"
                staging.mkdir()
            until_done.callback(_remove_uninterrupted, staging)
            for path in staging.iterdir():
                remove(path)
            if out.exists():
                raise CommandError(f"Another command has just made {out}. Run this one again.")
        yield staging


def _appear(staging: Path, out: Path) -> None:
    staging.rename(out)
    try:
        sync_folder(out.parent)
    except OSError:
        out.rename(staging)
        raise
    _tell_written(out)


def _require_files(staging: Path, names: Sequence[str]) -> None:
    for name in names:
        (staging / name).stat()


def _publish(staging: Path, out: Path, names: Sequence[str]) -> None:
    written = [name for name in names if (staging / name).exists()]
    write_plan(staging, out, written, [name for name in names if name not in written])
    sync_files(staging)
    committed = staging.rename(out / COMMITTED)
    try:
        sync_folder(out)
        complete(out)
    except OSError:
        committed.rename(out / UNDOING)
        sync_folder(out)
        complete(out)
        raise
    _tell_written(out)


def _remove_abandoned(parent: Path) -> None:
    """Staging folders of killed commands, for folders of any name."""
    for staging in parent.glob(f"{STAGING}-*"):
        try:
            with locked(staging, tries=1) as exclusive:
                if exclusive:
                    remove(staging)
        except (CommandError, OSError):
            continue


def _remove_uninterrupted(path: Path) -> None:
    with stops.held_back():
        remove(path)


def _tell_written(out: Path) -> None:
    stops.set_outcome(f"the files in {out} are complete")
