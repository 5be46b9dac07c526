"""Check of the report's warnings: their codes, levels and labels."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low
from typing import Any

from twofold_verify.runner import Split, require_equal

_FEW_TEST_IMAGES = 10
_MAX_NAMED = 20
_IMBALANCE = 10
_LARGE_GROUP = Fraction(1, 10)
_MANY_UNLABELLED = Fraction(1, 5)
_MANY_SIMILAR = Fraction(1, 2)

_Warning = dict[str, Any]


def check_warnings(split: Split) -> str:
    """Derives the warnings from members of the report. Further checks compare these members with the manifests."""
    report = split.report.raw
    expected = [
        *_find_missing_labels(report),
        *_find_similar_sources(report),
        *_find_rare_labels(report),
        *_find_line_warnings(report),
        *_find_certificate_warnings(report),
    ]
    claimed = [
        {name: value for name, value in warning.items() if name != "message"}
        for warning in report["warnings"]
    ]
    expected.sort(key=lambda warning: warning["level"] != "warning")
    require_equal(claimed, expected, "warnings")
    return f"The report has the {len(expected)} expected warnings, with codes, levels and labels."


def _make_warning(code: str) -> _Warning:
    return {"code": code, "level": "warning"}


def _make_note(code: str) -> _Warning:
    return {"code": code, "level": "note"}


def _add_labels(labels: list[str], warning: _Warning) -> Iterator[_Warning]:
    """Yields the warning with its labels; nothing without labels."""
    if labels:
        yield warning | {"count": len(labels), "labels": labels[:_MAX_NAMED]}


def _find_missing_labels(report: _Warning) -> Iterator[_Warning]:
    yield from _add_labels(report["labelsMissingInTrain"], _make_warning("LABELS_MISSING_IN_TRAIN"))
    yield from _add_labels(report["labelsMissingInTest"], _make_warning("LABELS_MISSING_IN_TEST"))


def _find_similar_sources(report: _Warning) -> Iterator[_Warning]:
    similar = report.get("similarSources")
    if similar is None or not similar["examples"]:
        return
    if similar["entries"] <= _MANY_SIMILAR * report["certificate"]["entries"]:
        yield (_make_warning if similar["divided"] else _make_note)("SIMILAR_SOURCES")


def _find_rare_labels(report: _Warning) -> Iterator[_Warning]:
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    rare = [label for label in report["rareLabels"] if label not in missing]
    yield from _add_labels(rare, _make_note("RARE_LABELS"))
    few = [row["label"] for row in report["labels"] if row["test"] < _FEW_TEST_IMAGES]
    named = missing.union(rare)
    yield from _add_labels(
        [label for label in few if label not in named], _make_note("FEW_TEST_IMAGES")
    )
    images = [row["before"] for row in report["labels"]]
    if images and max(images) >= _IMBALANCE * median_low(images):
        yield _make_note("IMBALANCE")


def _find_line_warnings(report: _Warning) -> Iterator[_Warning]:
    if report.get("dropped", {}).get("lines"):
        yield _make_warning("DROPPED_LINES")
    if report["source"]["errorEntries"]:
        yield _make_warning("ERROR_ENTRIES")
    unlabelled = report["unlabelled"]["before"]
    if unlabelled and unlabelled >= _MANY_UNLABELLED * report["certificate"]["entries"]:
        yield _make_note("UNLABELLED")


def _find_certificate_warnings(report: _Warning) -> Iterator[_Warning]:
    certificate = report["certificate"]
    if certificate["testEntriesReached"] != certificate["testEntriesWanted"]:
        yield _make_note("SIZE_NOT_EXACT")
    largest = report.get("groups", {}).get("largestGroup", 0)
    if largest > _LARGE_GROUP * certificate["entries"]:
        yield _make_note("LARGE_GROUP")
    if not certificate["optimal"]:
        yield _make_note("NOT_PROVEN")
