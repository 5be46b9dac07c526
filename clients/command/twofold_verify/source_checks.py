"""Checks against the source manifest: no line is lost, added or changed, and the order is kept. Checks of rejected lines."""

from typing import Any, Protocol

from twofold_verify.lines import Reason
from twofold_verify.report import Report
from twofold_verify.runner import WrongError, require_equal
from twofold_verify.source import SourceManifest

MAX_DROPPED = 100_000
"""A report lists at most this number of rejected lines."""
LINES_PER_DROPPED_LINE = 5
"""Twofold refuses a manifest with more than one rejected line per this number of lines."""


class AnySplit(Protocol):
    """A split into any number of manifests."""

    @property
    def report(self) -> Report: ...
    @property
    def source(self) -> SourceManifest | None: ...
    @property
    def unchecked(self) -> list[str]: ...
    @property
    def size(self) -> int: ...


def check_dropped(split: AnySplit) -> str:
    """Checks the report's member `dropped` for consistency, without the source."""
    claimed, source = split.report.raw.get("dropped"), split.report.raw["source"]
    if claimed is None:
        return "The report has no rejected lines."
    dropped, reasons = claimed["lines"], claimed["reasons"]
    require_equal(len(reasons), min(dropped, MAX_DROPPED), "dropped lines with a reason")
    lines = split.size + dropped
    if "lines" in source:
        require_equal(source["lines"], lines, "lines of the source")
    if dropped * LINES_PER_DROPPED_LINE > lines:
        raise WrongError(
            f"{dropped} of {lines} lines were rejected: Twofold refuses such a manifest."
        )
    previous = 0
    for number in (line["line"] for line in reasons):
        if not previous < number <= lines:
            raise WrongError(f"Rejected line {number} is not between {previous} and {lines + 1}.")
        previous = number
    for reason in {line["reason"] for line in reasons} - set(Reason):
        raise WrongError(f"A line was rejected for {reason}, which is not a code of Twofold.")
    if split.source is None and dropped:
        split.unchecked.append(
            "dropped.reasons: the rejected lines and their codes; pass the source with --source."
        )
    return f"{dropped} of {lines} lines were rejected."


def check_source(split: AnySplit) -> str:
    source = split.source
    if source is None:
        split.unchecked.append(
            "Completeness and order of the lines of the source: pass it with --source. "
            "Without it only the digests in the report are compared."
        )
        return "Not checked: pass the source with --source."
    if source.mismatch:
        raise WrongError(source.mismatch)
    claims, dropped = split.report.raw["source"], split.report.raw.get("dropped")
    require_equal(claims.get("lines", source.lines), source.lines, "lines of the source")
    if dropped is not None:
        require_equal(dropped["lines"], len(source.dropped), "dropped lines")
        expected = [{"line": line, "reason": str(reason)} for line, reason in source.dropped]
        require_equal(_strip_details(dropped["reasons"]), expected[:MAX_DROPPED], "dropped lines")
    return (
        f"All {split.size} entries of {source.path.name} are in the manifests, byte for byte and in order; "
        f"the other {len(source.dropped)} lines are not entries."
    )


def _strip_details(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"line": line["line"], "reason": line["reason"]} for line in reasons]
