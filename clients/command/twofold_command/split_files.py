"""The output files of a split, published together or not at all."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twofold.report import render_page
from twofold_command import publication
from twofold_command.errors import CommandError
from twofold_verify.files import MAX_REPORT_BYTES, UnreadableError, read_file

TRAIN, TEST, REPORT, PAGE = FILES = (
    "train.manifest",
    "test.manifest",
    "report.json",
    "report.html",
)
INDEXES = ("train.index", "test.index")
_MANIFEST = ".manifest"


@contextmanager
def stage_split_files(
    out: Path, manifest: Path | None = None, names: Sequence[str] = FILES
) -> Iterator[Path]:
    """Yields a folder for files of these names, and publishes the files in `out` at the end of the block.

    If the block fails, `out` is unchanged. Indexes in `out` are replaced or removed with their manifests. Raises CommandError
    if `out` cannot be written, another command writes to it, or a file to be replaced is `manifest`.
    """
    with convert_os_errors(out):
        indexes = list_indexes(names)
        if indexes:
            _require_no_other_parts(out, names)
        _require_writable_targets(out, manifest, (*names, *indexes))
        with publication.stage_files(out, names, indexes) as folder:
            yield folder


def list_indexes(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the indexes of the manifests among `names`."""
    manifests = [Path(name) for name in names if name.endswith(_MANIFEST)]
    return tuple(str(manifest.with_suffix(".index")) for manifest in manifests)


def publish_report(out: Path, report: dict[str, Any]) -> None:
    """Publishes both files of the report in `out`, or none. Raises CommandError."""
    with stage_split_files(out, names=(REPORT, PAGE)) as folder:
        write_report(folder, report)


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Writes report.json and report.html."""
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (folder / REPORT).write_text(f"{text}\n", encoding="utf-8")
    (folder / PAGE).write_text(render_page(report), encoding="utf-8")


@contextmanager
def convert_os_errors(out: Path) -> Iterator[None]:
    """Raises CommandError in place of OSError."""
    try:
        yield
    except OSError as error:
        path = Path(error.filename2 or error.filename or out)
        shown = out if path.name.startswith(publication.STAGING) else path
        raise CommandError(f"{shown}: {error.strerror or error}.") from error


def _require_no_other_parts(out: Path, names: Sequence[str]) -> None:
    """Raises CommandError if a manifest of an earlier split into other parts would stay: it has images of the new parts."""
    stale = [name for name in _list_reported_manifests(out) if name not in names]
    stale = [name for name in stale if (out / name).is_file()]
    if stale:
        raise CommandError(
            f"{out} has the earlier split's {', '.join(stale[:5])}, which this split does not replace. "
            "Remove these files, or choose another output folder."
        )


def _list_reported_manifests(out: Path) -> list[str]:
    try:
        datasets = json.loads(read_file(out / REPORT, MAX_REPORT_BYTES))["datasets"]
        return [f"{name}{_MANIFEST}" for name in datasets]
    except (UnreadableError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _require_writable_targets(out: Path, manifest: Path | None, names: Sequence[str]) -> None:
    for name in names:
        target = out / name
        if target.is_dir():
            raise CommandError(f"{target} is a folder; choose another output folder.")
        if manifest and target.exists() and target.samefile(manifest):
            raise CommandError(f"{target} is the manifest itself; choose another output folder.")
