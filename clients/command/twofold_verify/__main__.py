"""`python -m twofold_verify DIR [--json]`. Exit codes: 0 everything holds, 1 something does not, 2 bad
usage, 130 interrupted."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from twofold_verify.catalogue import CHECKS, NOT_CHECKED
from twofold_verify.checking import Check, Split, run_checks
from twofold_verify.files import UnreadableError, require_complete
from twofold_verify.members import UNCHECKED_MEMBERS
from twofold_verify.reading import Side, read_side, tell_apart
from twofold_verify.report import Report, read_report
from twofold_verify.source import read_source

TRAIN, TEST = "train.manifest", "test.manifest"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="twofold_verify", description="Checks the files of a split."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the split")
    parser.add_argument(
        "--previous", type=Path, metavar="DIR", help="the folder of the split that this one keeps"
    )
    parser.add_argument("--source", type=Path, metavar="FILE", help="the manifest that was split")
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    options = parser.parse_args()
    try:
        return verify(options.folder, options.previous, options.source, as_json=options.json)
    except KeyboardInterrupt:
        return 130


def verify(
    folder: Path,
    previous: Path | None = None,
    source: Path | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Prints what was checked; the exit code."""
    not_checked = [*NOT_CHECKED, *(f"{path}: {what}." for path, what in UNCHECKED_MEMBERS.items())]
    try:
        split = _read_split(folder, previous, source)
        checks = run_checks(split, CHECKS)
        not_checked.extend(split.unchecked)
    except UnreadableError as error:
        checks = [Check("files", False, str(error))]
    passed = all(check.passed for check in checks)
    write = _write_json if as_json else _write_text
    _print(write(checks, not_checked, passed))
    return 0 if passed else 1


def _print(text: str) -> None:
    """Characters that the terminal's encoding lacks are spelled out; nothing where standard output is closed."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201


def _read_split(folder: Path, previous: Path | None, source: Path | None) -> Split:
    """Raises UnreadableError."""
    for each in (folder, previous):
        if each:
            require_complete(each)
    report = read_report(folder / "report.json")
    train, test = _read_sides(folder, report)
    tell_apart((train, test), report.seed)
    return Split(
        train,
        test,
        report,
        _read_sides(previous, report) if previous else None,
        read_source(source, folder / TRAIN, folder / TEST) if source else None,
    )


def _read_sides(folder: Path, report: Report) -> tuple[Side, Side]:
    return read_side(folder / TRAIN, report), read_side(folder / TEST, report)


def _write_json(checks: list[Check], not_checked: list[str], passed: bool) -> str:
    answer = {
        "verified": passed,
        "checks": [asdict(check) for check in checks],
        "notChecked": not_checked,
    }
    return json.dumps(answer, indent=1)


def _write_text(checks: list[Check], not_checked: list[str], passed: bool) -> str:
    findings = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<10} {_make_printable(check.finding)}"
        for check in checks
    ]
    left_out = [
        "Not checked:",
        *(f"  {_make_printable(sentence)}" for sentence in not_checked),
    ]
    return "\n".join([*findings, *left_out, "Verified." if passed else "NOT verified."])


def _make_printable(text: str) -> str:
    """With control characters, and those that turn the direction of writing, spelled out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )


if __name__ == "__main__":
    sys.exit(main())
