"""Atomic publication: files appear in a folder together or not at all, even if the process is killed.

New files are written to a staging folder on the same file system and flushed to the disk. Then a rename publishes the files:

- If the folder does not exist, the staging folder gets the name of the folder.
- If the folder exists, `.twofold-new` is renamed to `.twofold-commit`. From then on the new files count as published, and are
  moved to their names. After a kill the remaining files stay in `.twofold-commit`, and the next command on the folder
  moves them (`finish_publication`).

A command locks the output folder, so a staging folder without a lock belongs to a killed command. On file systems
without locks, staging folders have random names, and the second of two concurrent publications fails.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twofold_command import signals
from twofold_command.disk import create_folders, lock_folder, remove_path, sync_files, sync_folder
from twofold_command.errors import CommandError
from twofold_command.journal import (
    COMMITTED,
    UNDOING,
    complete_publication,
    find_journals,
    write_plan,
)

STAGING = ".twofold-new"


@contextmanager
def stage_files(out: Path, names: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Path]:
    """Yields a staging folder for files of these names, and publishes the files in `out` at the end of the block.

    If the block fails, `out` is unchanged. A file of `optional` that the block does not write is removed from `out`. Raises
    CommandError if another command writes to `out`, and OSError.
    """
    if out.exists():
        with _stage_inside(out) as staging:
            yield staging
            with signals.defer_stops():
                _require_files(staging, names)
                _publish_files(staging, out, (*names, *optional))
    else:
        with _stage_beside(out) as staging:
            yield staging
            with signals.defer_stops():
                _require_files(staging, names)
                sync_files(staging)
                _publish_folder(staging, out)


def finish_publication(out: Path) -> None:
    """Completes an interrupted publication in `out`, if any. Raises CommandError."""
    if not find_journals(out):
        return
    try:
        with lock_folder(out), signals.defer_stops():
            complete_publication(out)
    except OSError as error:
        is_denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        remedy = "Make the folder writable" if is_denied else "Remove the cause"
        raise CommandError(
            f"{out} holds files of a split that was killed while it moved them to their names. They cannot be moved "
            f"now: {error.filename2 or error.filename}: {error.strerror}. {remedy} and run the command again."
        ) from error


@contextmanager
def _stage_inside(out: Path) -> Iterator[Path]:
    with ExitStack() as until_done:
        with signals.defer_stops():
            exclusive = until_done.enter_context(lock_folder(out))
            complete_publication(out)
            staging = out / (STAGING if exclusive else f"{STAGING}-{secrets.token_hex(8)}")
            remove_path(staging)
            until_done.callback(_remove_uninterrupted, staging)
            staging.mkdir()
        yield staging


@contextmanager
def _stage_beside(out: Path) -> Iterator[Path]:
    with ExitStack() as until_done:
        with signals.defer_stops():
            until_done.enter_context(create_folders(out.parent))
            _remove_abandoned(out.parent)
            digest = hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
            staging = out.parent / f"{STAGING}-{digest}"
            if staging.is_symlink():
                # Otherwise the files of another folder would be removed as those of a killed command.
                remove_path(staging)
            exclusive = until_done.enter_context(lock_folder(staging, create=True, owner=out))
            if not exclusive:
                staging = out.parent / f"{STAGING}-{secrets.token_hex(8)}"
                staging.mkdir()
            until_done.callback(_remove_uninterrupted, staging)
            for path in staging.iterdir():
                remove_path(path)
            if out.exists():
                raise CommandError(
                    f"Another command has just created {out}. Run this command again."
                )
        yield staging


def _publish_folder(staging: Path, out: Path) -> None:
    staging.rename(out)
    try:
        sync_folder(out.parent)
    except OSError:
        out.rename(staging)
        raise
    _record_outcome(out)


def _require_files(staging: Path, names: Sequence[str]) -> None:
    for name in names:
        (staging / name).stat()


def _publish_files(staging: Path, out: Path, names: Sequence[str]) -> None:
    written = [name for name in names if (staging / name).exists()]
    write_plan(staging, out, written, [name for name in names if name not in written])
    sync_files(staging)
    committed = staging.rename(out / COMMITTED)
    try:
        sync_folder(out)
        complete_publication(out)
    except OSError:
        committed.rename(out / UNDOING)
        sync_folder(out)
        complete_publication(out)
        raise
    _record_outcome(out)


def _remove_abandoned(parent: Path) -> None:
    """Removes the staging folders of killed commands, for output folders of any name."""
    for staging in parent.glob(f"{STAGING}-*"):
        try:
            with lock_folder(staging, tries=1) as exclusive:
                if exclusive:
                    remove_path(staging)
        except (CommandError, OSError):
            continue


def _remove_uninterrupted(path: Path) -> None:
    with signals.defer_stops():
        remove_path(path)


def _record_outcome(out: Path) -> None:
    signals.set_outcome(f"the files in {out} are complete")
