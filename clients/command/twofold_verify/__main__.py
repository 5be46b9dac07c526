"""`python -m twofold_verify DIR [--json]`. Exit codes: 0 all checks pass, 1 a check fails, 2 usage error, 130 interrupted."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from twofold_verify.catalogue import CHECKS, NOT_CHECKED
from twofold_verify.files import UnreadableError, require_complete
from twofold_verify.levels import ExpressionError, Member, parse_members
from twofold_verify.manifests import (
    ManifestSide,
    assign_levels,
    read_side,
    resolve_collisions,
)
from twofold_verify.parts.report import (
    PARTS_UNCHECKED_MEMBERS,
    PartsReport,
    read_parts_report,
)
from twofold_verify.parts.runner import read_parts, run_parts_checks
from twofold_verify.report import Report, parse_report, read_report
from twofold_verify.report_schema import UNCHECKED_MEMBERS
from twofold_verify.runner import Check, Split, run_checks
from twofold_verify.source import read_source

TRAIN, TEST = "train.manifest", "test.manifest"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="twofold_verify", description="Checks the files of a split."
    )
    parser.add_argument("folder", type=_read_path, metavar="DIR", help="the folder of the split")
    parser.add_argument(
        "--previous", type=_read_path, metavar="DIR", help="the folder of the previous split"
    )
    parser.add_argument(
        "--source", type=_read_path, metavar="FILE", help="the manifest that was split"
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    options = parser.parse_args()
    try:
        return verify(options.folder, options.previous, options.source, as_json=options.json)
    except KeyboardInterrupt:
        return 130


def _read_path(text: str) -> Path:
    """Parses a path. An empty one, such as an unset shell variable, would name the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def verify(
    folder: Path,
    previous: Path | None = None,
    source: Path | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Runs all checks, prints the result and returns the exit code."""
    members = UNCHECKED_MEMBERS
    unchecked: list[str] = []
    try:
        report = _read_report(folder, previous)
        if isinstance(report, PartsReport):
            members = PARTS_UNCHECKED_MEMBERS
            parts = read_parts(folder, report, previous, source)
            checks, unchecked = run_parts_checks(parts), parts.unchecked
        else:
            split = _read_split(folder, report, previous, source)
            checks, unchecked = run_checks(split, CHECKS), split.unchecked
    except UnreadableError as error:
        checks = [Check("files", False, str(error))]
    not_checked = [
        *NOT_CHECKED,
        *(f"{path}: {description}." for path, description in members.items()),
        *unchecked,
    ]
    passed = all(check.passed for check in checks)
    render = _render_json if as_json else _render_text
    _print(render(checks, not_checked, passed))
    return 0 if passed else 1


def _print(text: str) -> None:
    """Prints the text, with escapes for characters outside the terminal's encoding. Standard output may be closed."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201


def _read_report(folder: Path, previous: Path | None) -> Report:
    for folder_to_check in (folder, previous):
        if folder_to_check:
            require_complete(folder_to_check)
    path = folder / "report.json"
    raw = parse_report(path)
    is_parts = type(raw) is dict and "format" in raw
    return read_parts_report(path, raw) if is_parts else read_report(path, raw)


def _read_split(folder: Path, report: Report, previous: Path | None, source: Path | None) -> Split:
    """Reads the manifests. Raises UnreadableError."""
    members = _parse_members(report)
    train, test = _read_manifests(folder, report, members)
    resolve_collisions((train, test), report.seed)
    levels = assign_levels((train, test), members)
    return Split(
        train,
        test,
        report,
        _read_manifests(previous, report) if previous else None,
        read_source(source, (folder / TRAIN, folder / TEST)) if source else None,
        levels,
    )


def _parse_members(report: Report) -> list[Member]:
    try:
        return parse_members(report.balance_by)
    except ExpressionError as error:
        raise UnreadableError(f"In report.json parameters.balanceBy {error}.") from error


def _read_manifests(
    folder: Path, report: Report, members: Sequence[Member] = ()
) -> tuple[ManifestSide, ManifestSide]:
    return read_side(folder / TRAIN, report, members), read_side(folder / TEST, report, members)


def _render_json(checks: list[Check], not_checked: list[str], passed: bool) -> str:
    document = {
        "verified": passed,
        "checks": [asdict(check) for check in checks],
        "notChecked": not_checked,
    }
    return json.dumps(document, indent=1)


def _render_text(checks: list[Check], not_checked: list[str], passed: bool) -> str:
    findings = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<10} {_make_printable(check.finding)}"
        for check in checks
    ]
    unchecked_lines = [
        "Not checked:",
        *(f"  {_make_printable(sentence)}" for sentence in not_checked),
    ]
    return "\n".join([*findings, *unchecked_lines, "Verified." if passed else "NOT verified."])


def _make_printable(text: str) -> str:
    """Escapes control characters, bidirectional ones too."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


if __name__ == "__main__":
    sys.exit(main())
