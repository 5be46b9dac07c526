"""The files of a split: they appear together or not at all."""

import json
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twofold.report import page
from twofold_command.errors import CommandError

TRAIN, TEST, REPORT, PAGE = FILES = (
    "train.manifest",
    "test.manifest",
    "report.json",
    "report.html",
)
INDEXES = ("train.index", "test.index")


@contextmanager
def staged(out: Path, manifest: Path | None = None, names: Sequence[str] = FILES) -> Iterator[Path]:
    """A folder to write files of these names to. When the block ends well they appear in `out`; otherwise nothing is left
    of them, and what was in `out` stays. Raises CommandError if `out` cannot be written or holds the manifest itself.
    """
    new = not out.exists()
    staging = (out.parent if new else out) / f".twofold-{secrets.token_hex(4)}"
    try:
        with _explained(out):
            _require_room(out, manifest, names)
            staging.mkdir(parents=True)
            yield staging
            if new:
                staging.rename(out)
            else:
                replace_all(staging, out, names)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def put_report(out: Path, report: dict[str, Any]) -> None:
    """Both files of the report, or none; raises CommandError."""
    with staged(out, names=(REPORT, PAGE)) as folder:
        write_report(folder, report)


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """As data and as a page."""
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (folder / REPORT).write_text(f"{text}\n", encoding="utf-8")
    (folder / PAGE).write_text(page(report), encoding="utf-8")


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"{error.filename or out}: {error.strerror or error}.") from error


def _require_room(out: Path, manifest: Path | None, names: Sequence[str]) -> None:
    for name in names:
        target = out / name
        if target.is_dir():
            raise CommandError(f"{target} is a folder; choose another one with -o.")
        if manifest and target.exists() and target.samefile(manifest):
            raise CommandError(f"{target} is the manifest itself; choose another folder with -o.")


def replace_all(staging: Path, out: Path, names: Sequence[str] = FILES) -> None:
    """Moves all of these files or, if one cannot be moved, puts back what was there; raises OSError. An index that has no
    successor is taken away: it would be that of other manifests.
    """
    before = staging / "before"
    before.mkdir()
    try:
        for name in names:
            if (out / name).exists():
                (out / name).rename(before / name)
            if name not in INDEXES or (staging / name).exists():
                (staging / name).rename(out / name)
    except OSError:
        for name in names:
            if (before / name).exists():
                (before / name).replace(out / name)
            elif not (staging / name).exists():
                (out / name).unlink(missing_ok=True)
        raise
