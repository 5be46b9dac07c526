"""`twofold report`: the report of a folder or of a project's last distribution, in sentences, as data, as a page."""

import argparse
import json
import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twofold_command import stops
from twofold_command.commands import Command, argument, read_folder
from twofold_command.errors import CommandError
from twofold_command.output import is_text, name_of
from twofold_command.remote import connected, tell

_POWER = re.compile(r"\s*[-+]?[\d._]+[eE][-+]?[\d_]+\s*")
_MAX_NUMBER, _MAX_DEPTH = 10_000, 50


def open_page(page: Path) -> bool:
    """Whether there was a browser to open it."""
    return webbrowser.open(page.resolve().as_uri())


def _report(options: argparse.Namespace) -> int:
    with stops.held_back():
        from twofold_command.outputs import PAGE, REPORT, put_report
        from twofold_command.publication import finish
        from twofold_command.words import sentences

    folder = Path(options.where)
    finish(folder)
    local = (folder / REPORT).is_file()
    report = _read(folder / REPORT) if local else _fetched(options)
    out = options.out or (folder if local else None)
    with _shape_explained(options.where):
        lines = list(sentences(report))
        if out:
            put_report(out, report)
            lines.append(f"  {out / PAGE}")
    if options.open:
        if out is None:
            raise CommandError("To open the page of a project, say where to write it: -o DIR.")
        if not open_page(out / PAGE):
            raise CommandError(f"There is no browser here; open {out / PAGE} yourself.")
    return tell(lines, report, as_json=options.json)


def _read(path: Path) -> dict[str, Any]:
    try:
        report: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error
    if type(report) is not dict or not {"certificate", "labels", "unlabelled"} <= report.keys():
        raise CommandError(f"{path} is not a report of a split.")
    _require_bounded_numbers(path, report)
    return report


@contextmanager
def _shape_explained(where: str) -> Iterator[None]:
    """A report may come from anywhere; what is not as Twofold writes it cannot be shown."""
    try:
        yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise CommandError(
            f"The report of {where} is not one that Twofold has written: {type(error).__name__}: {error}."
        ) from error


def _require_bounded_numbers(path: Path, value: Any, depth: int = 0) -> None:
    """Raises CommandError for text such as 1e999999999, which is short and a number of a gigabyte."""
    if depth > _MAX_DEPTH:
        raise CommandError(f"{path} is nested too deeply for a report of a split.")
    if type(value) is str and len(value) < _MAX_NUMBER and _POWER.fullmatch(value):
        raise CommandError(f"{path} has the number {value!r}; numbers in a report are fractions.")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _require_bounded_numbers(path, each, depth + 1)


def _fetched(options: argparse.Namespace) -> dict[str, Any]:
    if not is_text(options.where):
        raise CommandError(f"{name_of(options.where)!r} is no folder of a split, and no project.")
    service = connected(options)
    from twofold_service.report import last_report

    return last_report(service, options.where)


REPORT_COMMAND = Command(
    "report",
    "show the report of a split, or of a project's last distribution",
    "A folder that has a report.json is meant before a project of that name.",
    (
        argument("where", metavar="DIR|PROJECT", help="a folder of a split, or a project"),
        argument(
            "-o",
            "--out",
            type=read_folder,
            metavar="DIR",
            help="write report.json and report.html there",
        ),
        argument("--open", action="store_true", help="open the page in a browser"),
    ),
    "the report",
    _report,
)
