"""Checks against the manifest that was split: no line lost, none added, none changed, the order kept; and dropped lines."""

from typing import Any

from twofold_verify.checking import Split, WrongError, require
from twofold_verify.lines import Reason

MAX_DROPPED = 100_000
"""So many dropped lines a report names."""
LINES_PER_DROPPED_LINE = 5
"""Twofold refuses a manifest with more than one dropped line in so many."""


def check_dropped(split: Split) -> str:
    """What the report says of dropped lines, without the source."""
    claimed, source = split.report.raw.get("dropped"), split.report.raw["source"]
    if claimed is None:
        return "The report does not speak of dropped lines."
    dropped, reasons = claimed["lines"], claimed["reasons"]
    require(len(reasons), min(dropped, MAX_DROPPED), "dropped lines with a reason")
    lines = split.size + dropped
    if "lines" in source:
        require(source["lines"], lines, "lines of the source")
    if dropped * LINES_PER_DROPPED_LINE > lines:
        raise WrongError(
            f"{dropped} of {lines} lines were dropped: Twofold refuses such a manifest."
        )
    previous = 0
    for number in (each["line"] for each in reasons):
        if not previous < number <= lines:
            raise WrongError(f"Dropped line {number} is not between {previous} and {lines + 1}.")
        previous = number
    for reason in {each["reason"] for each in reasons} - set(Reason):
        raise WrongError(f"A line was dropped for {reason}, which is no reason.")
    if split.source is None and dropped:
        split.unchecked.append(
            "dropped.reasons: which lines were dropped, and why; name the source with --source."
        )
    return f"{dropped} of {lines} lines were dropped."


def check_source(split: Split) -> str:
    source = split.source
    if source is None:
        split.unchecked.append(
            "That no line of the source is missing and that its order was kept: name it with --source. "
            "Without it the digests are compared with those that the report names."
        )
        return "Not at hand: name it with --source."
    if source.lost:
        raise WrongError(source.lost)
    claims, dropped = split.report.raw["source"], split.report.raw.get("dropped")
    require(claims.get("lines", source.lines), source.lines, "lines of the source")
    if dropped is not None:
        require(dropped["lines"], len(source.dropped), "dropped lines")
        found = [{"line": line, "reason": str(reason)} for line, reason in source.dropped]
        require(_without_details(dropped["reasons"]), found[:MAX_DROPPED], "dropped lines")
    return (
        f"All {split.size} entries of {source.path.name} are in the manifests, byte for byte and in its order; "
        f"its other {len(source.dropped)} lines are no entries."
    )


def _without_details(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"line": each["line"], "reason": each["reason"]} for each in reasons]
