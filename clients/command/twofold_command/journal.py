"""The journal of a publication in a folder that exists: `.twofold-commit`, where new files wait to be moved to their names.

`plan.json` has the names: `written` files to move, `removed` files to remove, and `old`, those of both that exist. `before`
has a second link to each old file. If a file cannot be moved, `.twofold-commit` becomes `.twofold-undo`, and the files
that were moved or removed give way to the old ones. Every step can be repeated.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from twofold_command.disk import remove, sync_file, sync_folder
from twofold_command.errors import CommandError

COMMITTED, UNDOING = ".twofold-commit", ".twofold-undo"
_BEFORE, _PLAN = "before", "plan.json"
_REMOVABLE = ".index"
"""Of a split with less than the one before; a manifest or a report is never removed, only replaced."""
_NAME = re.compile(r"[a-z]{1,20}\.(manifest|index|json|html)")


def write_plan(staging: Path, out: Path, written: list[str], removed: list[str]) -> None:
    """Raises OSError, and then `out` is as it was."""
    before = staging / _BEFORE
    before.mkdir()
    old = [name for name in (*written, *removed) if _is_there(out / name)]
    for name in old:
        _link(out / name, before / name)
    sync_folder(before)
    plan = {"written": written, "removed": removed, "old": old}
    (staging / _PLAN).write_text(json.dumps(plan), encoding="utf-8")


def complete(out: Path) -> None:
    """Moves what a journal in `out` still has to move. Raises OSError, and CommandError for a damaged journal."""
    committed, undoing = out / COMMITTED, out / UNDOING
    if (committed / _PLAN).is_file():
        _move(committed, out, _read_plan(committed))
    elif (undoing / _PLAN).is_file():
        _undo(undoing, out, _read_plan(undoing))
    for journal in (committed, undoing):
        if journal.is_dir():
            _retire(journal, out)


def _move(committed: Path, out: Path, plan: dict[str, list[str]]) -> None:
    for name in plan["written"]:
        if (committed / name).is_file():
            (committed / name).replace(out / name)
    for name in plan["removed"]:
        (out / name).unlink(missing_ok=True)


def _undo(undoing: Path, out: Path, plan: dict[str, list[str]]) -> None:
    moved = [name for name in plan["written"] if not (undoing / name).exists()]
    for name in (*moved, *plan["removed"]):
        if _is_there(undoing / _BEFORE / name):
            (undoing / _BEFORE / name).replace(out / name)
        elif name not in plan["old"]:
            (out / name).unlink(missing_ok=True)


def _retire(journal: Path, out: Path) -> None:
    """Removes a journal whose moves are on the disk, its plan first: without one there is nothing left to do."""
    sync_folder(journal)
    sync_folder(out)
    (journal / _PLAN).unlink(missing_ok=True)
    remove(journal)


def _read_plan(journal: Path) -> dict[str, list[str]]:
    """Raises CommandError for a plan that no command has written: a folder of files may come from anywhere."""
    try:
        plan: Any = json.loads((journal / _PLAN).read_bytes())
        names = [name for key in ("written", "removed", "old") for name in plan[key]]
        sound = all(type(name) is str and _NAME.fullmatch(name) for name in names)
        sound = sound and all(name.endswith(_REMOVABLE) for name in plan["removed"])
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise CommandError(
            f"{journal / _PLAN} is damaged. Move {journal} away and run the command again."
        )
    found: dict[str, list[str]] = plan
    return found


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        # A file system without links, or a file of another user.
        shutil.copy2(source, target, follow_symlinks=False)
        sync_file(target)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
