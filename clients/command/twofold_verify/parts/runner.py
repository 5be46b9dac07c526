"""Read the files of a split into parts, and run its checks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twofold_verify.files import UnreadableError
from twofold_verify.manifests import read_side, resolve_collisions
from twofold_verify.parts.checks import PARTS_CHECKS, PartsSplit
from twofold_verify.parts.report import PartsReport
from twofold_verify.parts.warnings import check_warnings
from twofold_verify.runner import Check, WrongError
from twofold_verify.source import read_source
from twofold_verify.source_checks import check_dropped, check_source

CHECKS: Mapping[str, Any] = {
    **PARTS_CHECKS,
    "source": check_source,
    "dropped": check_dropped,
    "warnings": check_warnings,
}


def read_parts(
    folder: Path, report: PartsReport, previous: Path | None, source: Path | None
) -> PartsSplit:
    """Reads the manifests of all parts. Raises UnreadableError."""
    if previous:
        raise UnreadableError(f"{folder} has a split into parts, which keeps no previous split.")
    paths = [folder / f"{name}.manifest" for name in report.names]
    sides = tuple(read_side(path, report) for path in paths)
    resolve_collisions(sides, report.seed)
    return PartsSplit(sides, report, read_source(source, paths) if source else None)


def run_parts_checks(split: PartsSplit) -> list[Check]:
    """Runs all checks, also after a failed check."""
    return [_run(name, check, split) for name, check in CHECKS.items()]


def _run(name: str, check: Any, split: PartsSplit) -> Check:
    try:
        return Check(name, True, check(split))
    except WrongError as error:
        return Check(name, False, str(error))
