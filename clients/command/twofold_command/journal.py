"""The journal of a publication in an existing folder: `.twofold-commit` holds the new files until the move to their names.

`plan.json` lists the names: `written` files to move, `removed` files to remove, and `old` files of both lists that exist.
`before` has a second link to each old file. If a file cannot be moved, `.twofold-commit` becomes `.twofold-undo`, and the old
files are restored. Every step is idempotent.

The folder may come from an untrusted source: a symbolic link in place of a journal or its parts is an error, since files of
another folder would be moved.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from twofold_command.disk import remove_path, sync_file, sync_folder
from twofold_command.errors import CommandError
from twofold_verify.files import UnreadableError, read_file

COMMITTED, UNDOING = ".twofold-commit", ".twofold-undo"
_OLD_FILES, _PLAN = "before", "plan.json"
_REMOVABLE = ".index"
"""Suffix of the files that a publication may remove. Manifests and reports are replaced, never removed."""
_MAX_PLAN_BYTES = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}\.(manifest|index)|report\.(json|html)")


def write_plan(staging: Path, out: Path, written: list[str], removed: list[str]) -> None:
    """Writes the plan and the links to the old files. Raises OSError, and then `out` is unchanged."""
    old_files = staging / _OLD_FILES
    old_files.mkdir()
    old = [name for name in (*written, *removed) if _exists(out / name)]
    for name in old:
        _link_or_copy(out / name, old_files / name)
    sync_folder(old_files)
    plan = {"written": written, "removed": removed, "old": old}
    (staging / _PLAN).write_text(json.dumps(plan), encoding="utf-8")


def complete_publication(out: Path) -> None:
    """Moves the remaining files of a journal in `out`. Raises OSError, and CommandError for a damaged journal."""
    committed, undoing = out / COMMITTED, out / UNDOING
    journals = find_journals(out)
    if committed in journals and _exists(committed / _PLAN):
        _move_files(committed, out, _read_plan(committed))
    elif undoing in journals and _exists(undoing / _PLAN):
        _restore_files(undoing, out, _read_plan(undoing))
    for journal in journals:
        _remove_journal(journal, out)


def find_journals(out: Path) -> list[Path]:
    """Returns the journals in `out`. Raises CommandError if a journal or its folder of old files is a symbolic link."""
    journals = [out / name for name in (COMMITTED, UNDOING) if _exists(out / name)]
    for path in (*journals, *(journal / _OLD_FILES for journal in journals)):
        if path.is_symlink():
            raise CommandError(
                f"{path} is a symbolic link, which Twofold does not write. Remove the link and run the command again."
            )
    return [journal for journal in journals if journal.is_dir()]


def _move_files(committed: Path, out: Path, plan: dict[str, list[str]]) -> None:
    for name in plan["written"]:
        if (committed / name).is_file():
            (committed / name).replace(out / name)
    for name in plan["removed"]:
        (out / name).unlink(missing_ok=True)


def _restore_files(undoing: Path, out: Path, plan: dict[str, list[str]]) -> None:
    moved = [name for name in plan["written"] if not (undoing / name).exists()]
    for name in (*moved, *plan["removed"]):
        if _exists(undoing / _OLD_FILES / name):
            (undoing / _OLD_FILES / name).replace(out / name)
        elif name not in plan["old"]:
            (out / name).unlink(missing_ok=True)


def _remove_journal(journal: Path, out: Path) -> None:
    """Removes a journal after its moves are on the disk. Removes the plan first: a journal without a plan is complete."""
    sync_folder(journal)
    sync_folder(out)
    (journal / _PLAN).unlink(missing_ok=True)
    remove_path(journal)


def _read_plan(journal: Path) -> dict[str, list[str]]:
    """Reads the plan. Raises CommandError for an invalid plan."""
    try:
        if (journal / _PLAN).is_symlink():
            raise ValueError
        plan: Any = json.loads(read_file(journal / _PLAN, _MAX_PLAN_BYTES))
        names = [name for key in ("written", "removed", "old") for name in plan[key]]
        is_valid = all(type(name) is str and _NAME.fullmatch(name) for name in names)
        is_valid = is_valid and all(name.endswith(_REMOVABLE) for name in plan["removed"])
    except (UnreadableError, ValueError, KeyError, TypeError, RecursionError):
        is_valid = False
    if not is_valid:
        raise CommandError(
            f"{journal / _PLAN} is damaged. Move {journal} away and run the command again."
        )
    checked_plan: dict[str, list[str]] = plan
    return checked_plan


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        # The file system has no links, or the file belongs to another user.
        shutil.copy2(source, target, follow_symlinks=False)
        sync_file(target)


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
