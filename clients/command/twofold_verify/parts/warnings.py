"""Check of the warnings of a split into parts: their codes, levels, parts and labels."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low
from typing import Any

from twofold_verify.parts.checks import PartsSplit
from twofold_verify.runner import require_equal

_MAX_NAMED, _IMBALANCE = 20, 10
_LARGE_GROUP, _MANY_UNLABELLED = Fraction(1, 10), Fraction(1, 5)

_Warning = dict[str, Any]


def check_warnings(split: PartsSplit) -> str:
    """Derives the warnings from members of the report. Further checks compare these members with the manifests."""
    expected = list(_find_warnings(split.report.raw))
    expected.sort(key=lambda warning: warning["level"] != "warning")
    claimed = [
        {name: value for name, value in warning.items() if name != "message"}
        for warning in split.report.raw["warnings"]
    ]
    require_equal(claimed, expected, "warnings")
    return f"The report has the {len(expected)} expected warnings, with codes, levels and labels."


def _find_warnings(report: _Warning) -> Iterator[_Warning]:
    for part, labels in report["labelsMissing"].items():
        for warning in _name_labels("LABELS_MISSING", "warning", labels):
            yield warning | {"part": part}
    missing = {label for labels in report["labelsMissing"].values() for label in labels}
    rare = [label for label in report["rareLabels"] if label not in missing]
    yield from _name_labels("RARE_LABELS", "note", rare)
    entries, unlabelled = report["certificate"]["entries"], report["unlabelled"]["before"]
    images = [row["before"] for row in report["labels"]]
    certificate = report["certificate"]
    largest = report.get("groups", {}).get("largestGroup", 0)
    for code, level, holds in (
        ("DROPPED_LINES", "warning", report["dropped"]["lines"] > 0),
        ("ERROR_ENTRIES", "warning", report["source"]["errorEntries"] > 0),
        ("UNLABELLED", "note", unlabelled and unlabelled >= _MANY_UNLABELLED * entries),
        ("IMBALANCE", "note", images and max(images) >= _IMBALANCE * median_low(images)),
        ("SIZE_NOT_EXACT", "note", certificate["entriesWanted"] != certificate["entriesReached"]),
        ("LARGE_GROUP", "note", largest > _LARGE_GROUP * entries),
        ("NOT_PROVEN", "note", not certificate["optimal"]),
    ):
        if holds:
            yield {"code": code, "level": level}


def _name_labels(code: str, level: str, labels: list[str]) -> Iterator[_Warning]:
    if labels:
        yield {"code": code, "level": level, "count": len(labels), "labels": labels[:_MAX_NAMED]}
