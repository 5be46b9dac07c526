"""`twofold report`: show the report of a folder, or of a project's last distribution, as text, as JSON, or as a page."""

import argparse
import json
import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twofold_command import signals
from twofold_command.commands import Command, define_argument, read_folder, read_name
from twofold_command.console import decode_path, is_utf8
from twofold_command.errors import CommandError
from twofold_command.service_commands import connect_to_service, print_result
from twofold_verify.files import MAX_REPORT_BYTES, UnreadableError, read_file

_EXPONENT_NUMBER = re.compile(r"\s*[-+]?[\d._]+[eE][-+]?[\d_]+\s*")
_MAX_NUMBER_CHARACTERS, _MAX_DEPTH = 10_000, 50


def open_page(page: Path) -> bool:
    """Opens the page in a browser; returns False if there is none."""
    return webbrowser.open(page.resolve().as_uri())


def _run_report(options: argparse.Namespace) -> int:
    with signals.defer_stops():
        from twofold_command.parts_summary import summarize_split
        from twofold_command.publication import finish_publication
        from twofold_command.split_files import PAGE, REPORT, publish_report

    folder = Path(options.where)
    finish_publication(folder)
    local = (folder / REPORT).is_file()
    report = _read_report_file(folder / REPORT) if local else _fetch_report(options)
    out = options.out or (folder if local else None)
    with _convert_shape_errors(options.where):
        lines = list(summarize_split(report))
        if out:
            publish_report(out, report)
            lines.append(f"  {out / PAGE}")
    if options.open:
        if out is None:
            raise CommandError("--open needs an output folder for the page of a project: -o DIR.")
        if not open_page(out / PAGE):
            raise CommandError(f"No browser found; open {out / PAGE} yourself.")
    return print_result(lines, report, as_json=options.json)


def _read_report_file(path: Path) -> dict[str, Any]:
    try:
        report: Any = json.loads(read_file(path, MAX_REPORT_BYTES))
    except UnreadableError as error:
        raise CommandError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error
    if type(report) is not dict or not {"certificate", "labels", "unlabelled"} <= report.keys():
        raise CommandError(f"{path} is not the report of a split.")
    _require_bounded_numbers(path, report)
    return report


@contextmanager
def _convert_shape_errors(where: str) -> Iterator[None]:
    """Raises CommandError in place of the errors of a malformed report, which may come from an untrusted source."""
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
            f"The report of {where} was not written by Twofold: {type(error).__name__}: {error}."
        ) from error


def _require_bounded_numbers(path: Path, value: Any, depth: int = 0) -> None:
    """Raises CommandError for text such as 1e999999999, which as an exact number takes a gigabyte."""
    if depth > _MAX_DEPTH:
        raise CommandError(f"{path} is nested too deeply for a report of a split.")
    if (
        type(value) is str
        and len(value) < _MAX_NUMBER_CHARACTERS
        and _EXPONENT_NUMBER.fullmatch(value)
    ):
        raise CommandError(f"{path} has the number {value!r}; a report has fractions such as 2/5.")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _require_bounded_numbers(path, item, depth + 1)


def _fetch_report(options: argparse.Namespace) -> dict[str, Any]:
    if not is_utf8(options.where):
        raise CommandError(
            f"{decode_path(options.where)!r} is neither the folder of a split nor a project."
        )
    service = connect_to_service(options)
    from twofold_service.report import fetch_last_report

    return fetch_last_report(service, options.where)


REPORT_COMMAND = Command(
    "report",
    "show the report of a split, or of a project's last distribution",
    "A folder with a report.json takes precedence over a project of the same name.",
    (
        define_argument(
            "where", type=read_name, metavar="DIR|PROJECT", help="a folder of a split, or a project"
        ),
        define_argument(
            "-o",
            "--out",
            type=read_folder,
            metavar="DIR",
            help="the folder for report.json and report.html",
        ),
        define_argument("--open", action="store_true", help="open the page in a browser"),
    ),
    "the report",
    _run_report,
)
