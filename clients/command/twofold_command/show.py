"""`twofold report`: the report of a folder or of a project's last distribution, in sentences, as data, as a page."""

import argparse
import json
import webbrowser
from pathlib import Path
from typing import Any

from twofold_command.commands import Command, argument
from twofold_command.errors import CommandError
from twofold_command.remote import connected, tell


def open_page(page: Path) -> bool:
    """Whether there was a browser to open it."""
    return webbrowser.open(page.resolve().as_uri())


def _report(options: argparse.Namespace) -> int:
    from twofold_command.outputs import PAGE, REPORT, put_report
    from twofold_command.words import sentences

    folder = Path(options.where)
    local = (folder / REPORT).is_file()
    report = _read(folder / REPORT) if local else _fetched(options)
    out = options.out or (folder if local else None)
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
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error
    if type(report) is not dict or not {"certificate", "labels", "unlabelled"} <= report.keys():
        raise CommandError(f"{path} is not a report of a split.")
    return report


def _fetched(options: argparse.Namespace) -> dict[str, Any]:
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
            "-o", "--out", type=Path, metavar="DIR", help="write report.json and report.html there"
        ),
        argument("--open", action="store_true", help="open the page in a browser"),
    ),
    "the report",
    _report,
)
