"""`python -m twofold_verify DIR [--json]`. Exit codes: 0 everything holds, 1 something does not, 2 bad usage."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from twofold_verify.checking import Check, Split, run_checks
from twofold_verify.checks import CHECKS, NOT_CHECKED
from twofold_verify.order import order
from twofold_verify.reading import Report, Side, UnreadableError, read_report, read_side, tell_apart


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="twofold_verify", description="Checks the files of a split."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the split")
    parser.add_argument(
        "--previous", type=Path, metavar="DIR", help="the folder of the split that this one keeps"
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    options = parser.parse_args()
    return verify(options.folder, options.previous, as_json=options.json)


def verify(folder: Path, previous: Path | None = None, *, as_json: bool = False) -> int:
    """Prints what was checked; the exit code."""
    try:
        checks = _checked(folder, previous)
    except UnreadableError as error:
        checks = [Check("files", False, str(error))]
    passed = all(check.passed for check in checks)
    print(_document(checks, passed) if as_json else _page(checks, passed))  # noqa: T201
    return 0 if passed else 1


def _checked(folder: Path, previous: Path | None) -> list[Check]:
    report = read_report(folder / "report.json")
    train, test = _sides(folder, report)
    tell_apart((train, test), report.seed)
    split = Split(train, test, report, _sides(previous, report) if previous else None)
    return run_checks(split, {**CHECKS, "order": order})


def _sides(folder: Path, report: Report) -> tuple[Side, Side]:
    train, test = (read_side(folder / f"{side}.manifest", report) for side in ("train", "test"))
    return train, test


def _document(checks: list[Check], passed: bool) -> str:
    answer = {
        "verified": passed,
        "checks": [asdict(check) for check in checks],
        "notChecked": NOT_CHECKED,
    }
    return json.dumps(answer, indent=1, ensure_ascii=False)


def _page(checks: list[Check], passed: bool) -> str:
    found = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<10} {_printable(check.finding)}"
        for check in checks
    ]
    left_out = ["Not checked:", *(f"  {sentence}" for sentence in NOT_CHECKED)]
    return "\n".join([*found, *left_out, "Verified." if passed else "NOT verified."])


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


if __name__ == "__main__":
    sys.exit(main())
