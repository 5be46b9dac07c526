"""The files of a split: they appear together or not at all."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twofold.report import page
from twofold_command import publication
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
    """A folder to write files of these names to. When the block ends well they are in `out`; otherwise nothing is left
    of them, and what was in `out` stays. An index in `out` is replaced or removed with its manifests.

    Raises CommandError if `out` cannot be written, is written to by another command, or holds the manifest itself.
    """
    with explained(out):
        indexes = INDEXES if {TRAIN, TEST} & set(names) else ()
        _require_room(out, manifest, (*names, *indexes))
        with publication.staged(out, names, indexes) as folder:
            yield folder


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
def explained(out: Path) -> Iterator[None]:
    """Turns what the file system refuses into CommandError."""
    try:
        yield
    except OSError as error:
        path = Path(error.filename2 or error.filename or out)
        shown = out if path.name.startswith(publication.STAGING) else path
        raise CommandError(f"{shown}: {error.strerror or error}.") from error


def _require_room(out: Path, manifest: Path | None, names: Sequence[str]) -> None:
    for name in names:
        target = out / name
        if target.is_dir():
            raise CommandError(f"{target} is a folder; choose another output folder.")
        if manifest and target.exists() and target.samefile(manifest):
            raise CommandError(f"{target} is the manifest itself; choose another output folder.")
