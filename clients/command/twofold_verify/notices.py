"""Checks of the report's warnings: which there are, of which level, and of how many and which labels."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low
from typing import Any

from twofold_verify.checking import Split, require

_FEW_TEST_IMAGES = 10
_MAX_NAMED = 20
_IMBALANCE = 10
_LARGE_GROUP = Fraction(1, 10)
_MANY_UNLABELLED = Fraction(1, 5)
_MANY_SIMILAR = Fraction(1, 2)

_Notice = dict[str, Any]


def check_warnings(split: Split) -> str:
    """From the members of the report, which the other checks hold against the manifests."""
    report = split.report.raw
    found = [
        *_of_missing_labels(report),
        *_of_similar_sources(report),
        *_of_rare_labels(report),
        *_of_lines(report),
        *_of_the_certificate(report),
    ]
    claimed = [
        {name: value for name, value in each.items() if name != "message"}
        for each in report["warnings"]
    ]
    require(claimed, sorted(found, key=lambda each: each["level"] != "warning"), "warnings")
    return f"{len(found)} warnings are there with their codes, levels and labels, as they must be."


def _warn(code: str) -> _Notice:
    return {"code": code, "level": "warning"}


def _note(code: str) -> _Notice:
    return {"code": code, "level": "note"}


def _about(labels: list[str], notice: _Notice) -> Iterator[_Notice]:
    """The notice with the labels that it is about; none without labels."""
    if labels:
        yield notice | {"count": len(labels), "labels": labels[:_MAX_NAMED]}


def _of_missing_labels(report: _Notice) -> Iterator[_Notice]:
    yield from _about(report["labelsMissingInTrain"], _warn("LABELS_MISSING_IN_TRAIN"))
    yield from _about(report["labelsMissingInTest"], _warn("LABELS_MISSING_IN_TEST"))


def _of_similar_sources(report: _Notice) -> Iterator[_Notice]:
    similar = report.get("similarSources")
    if similar is None or not similar["examples"]:
        return
    if similar["entries"] <= _MANY_SIMILAR * report["certificate"]["entries"]:
        yield (_warn if similar["divided"] else _note)("SIMILAR_SOURCES")


def _of_rare_labels(report: _Notice) -> Iterator[_Notice]:
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    rare = [label for label in report["rareLabels"] if label not in missing]
    yield from _about(rare, _note("RARE_LABELS"))
    few = [row["label"] for row in report["labels"] if row["test"] < _FEW_TEST_IMAGES]
    named = missing.union(rare)
    yield from _about([label for label in few if label not in named], _note("FEW_TEST_IMAGES"))
    images = [row["before"] for row in report["labels"]]
    if images and max(images) >= _IMBALANCE * median_low(images):
        yield _note("IMBALANCE")


def _of_lines(report: _Notice) -> Iterator[_Notice]:
    if report.get("dropped", {}).get("lines"):
        yield _warn("DROPPED_LINES")
    if report["source"]["errorEntries"]:
        yield _warn("ERROR_ENTRIES")
    unlabelled = report["unlabelled"]["before"]
    if unlabelled and unlabelled >= _MANY_UNLABELLED * report["certificate"]["entries"]:
        yield _note("UNLABELLED")


def _of_the_certificate(report: _Notice) -> Iterator[_Notice]:
    certificate = report["certificate"]
    if certificate["testEntriesReached"] != certificate["testEntriesWanted"]:
        yield _note("SIZE_NOT_EXACT")
    largest = report.get("groups", {}).get("largestGroup", 0)
    if largest > _LARGE_GROUP * certificate["entries"]:
        yield _note("LARGE_GROUP")
    if not certificate["optimal"]:
        yield _note("NOT_PROVEN")
