"""Warnings and notes on a split, for report.json and the page."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low
from typing import Any

from twofold.report.formatting import (
    format_count,
    format_decimal,
    format_integer,
    format_name,
    format_percent,
)

FEW_TEST_IMAGES = 10
MOSTLY = Fraction(1, 2)
IMBALANCE = 10
LARGE_GROUP = Fraction(1, 10)
MANY_UNLABELLED = Fraction(1, 5)
MAX_NAMED = 20

Report = dict[str, Any]
ReportWarning = dict[str, Any]


def find_warnings(report: Report) -> list[ReportWarning]:
    """The warnings of a report, level `warning` before level `note`.

    Each has a `code`, a `level` (`warning`: to act on; `note`: to be aware of) and a `message`. Warnings about labels have the
    number of labels (`count`) and the names of the first MAX_NAMED labels (`labels`).
    """
    warnings = [
        *_check_missing_labels(report),
        *_check_similar_sources(report),
        *_check_rare_labels(report),
        *_check_source(report),
        *_check_split(report),
    ]
    return sorted(warnings, key=lambda warning: warning["level"] != "warning")


def warn_of_labels(
    code: str, level: str, labels: list[str], message: str
) -> Iterator[ReportWarning]:
    if labels:
        yield {
            "code": code,
            "level": level,
            "message": f"{format_count(len(labels), 'label', 'labels')} {message}",
            "count": len(labels),
            "labels": labels[:MAX_NAMED],
        }


def make_warning(code: str, level: str, message: str) -> ReportWarning:
    return {"code": code, "level": level, "message": message}


def _check_missing_labels(report: Report) -> Iterator[ReportWarning]:
    yield from warn_of_labels(
        "LABELS_MISSING_IN_TRAIN",
        "warning",
        report["labelsMissingInTrain"],
        "without a training image: a model cannot learn them.",
    )
    yield from warn_of_labels(
        "LABELS_MISSING_IN_TEST",
        "warning",
        report["labelsMissingInTest"],
        "without a test image: no metric shows how well a model finds them.",
    )


def _check_similar_sources(report: Report) -> Iterator[ReportWarning]:
    similar = report.get("similarSources")
    if not similar or not similar["examples"]:
        return
    if similar["entries"] > MOSTLY * report["certificate"]["entries"]:
        return  # Numbers, not names.
    names = format_count(similar["names"], "file name is", "file names are")
    if not similar["divided"]:
        yield make_warning(
            "SIMILAR_SOURCES", "note", f"{names} in several folders, each on one side alone."
        )
        return
    yield make_warning(
        "SIMILAR_SOURCES",
        "warning",
        f"{names} in several folders, {format_integer(similar['divided'])} of them on both sides: "
        "if they are the same images, the test set has training images.",
    )


def _check_rare_labels(report: Report) -> Iterator[ReportWarning]:
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    rare = [label for label in report["rareLabels"] if label not in missing]
    yield from warn_of_labels(
        "RARE_LABELS",
        "note",
        rare,
        "on both sides with fewer images than one for each by its share: their test share is well off the target.",
    )
    named = {*missing, *rare}
    few = [
        row["label"]
        for row in report["labels"]
        if row["test"] < FEW_TEST_IMAGES and row["label"] not in named
    ]
    yield from warn_of_labels(
        "FEW_TEST_IMAGES",
        "note",
        few,
        f"with fewer than {FEW_TEST_IMAGES} test images: one image more or less changes their recall by "
        "more than a tenth.",
    )
    yield from check_imbalance(report["labels"])


def check_imbalance(rows: list[dict[str, Any]]) -> Iterator[ReportWarning]:
    if not rows:
        return
    largest = max(rows, key=lambda row: row["before"])
    median = median_low(row["before"] for row in rows)
    if largest["before"] >= IMBALANCE * median:
        yield make_warning(
            "IMBALANCE",
            "note",
            f"Labels are very unequally frequent: {format_name(largest['label'])} has "
            f"{format_integer(largest['before'])} images, half of the labels have "
            f"{format_integer(median)} or fewer. The split does not change that.",
        )


def _check_source(report: Report) -> Iterator[ReportWarning]:
    source, dropped = report.get("source", {}), report.get("dropped", {})
    if dropped.get("lines"):
        lines = format_count(dropped["lines"], "line is", "lines are")
        yield make_warning(
            "DROPPED_LINES", "warning", f"{lines} in neither dataset: they are not valid entries."
        )
    if source.get("errorEntries"):
        entries = format_count(source["errorEntries"], "entry has", "entries have")
        yield make_warning(
            "ERROR_ENTRIES",
            "warning",
            f"{entries} errors in the labels; they stay in the datasets.",
        )
    entries, unlabelled = report["certificate"]["entries"], report["unlabelled"]["before"]
    if unlabelled >= MANY_UNLABELLED * entries and unlabelled:
        yield make_warning(
            "UNLABELLED",
            "note",
            f"{format_percent(unlabelled, entries)} of the entries have no label; they are balanced like a label of their own.",
        )


def _check_split(report: Report) -> Iterator[ReportWarning]:
    certificate = report["certificate"]
    reached, target = certificate["testEntriesReached"], certificate["testEntriesWanted"]
    if reached != target:
        yield make_warning(
            "SIZE_NOT_EXACT",
            "note",
            f"{format_integer(reached)} entries are in the test set, {format_integer(target)} were wanted: "
            "whole groups add up to no nearer number.",
        )
    groups = report.get("groups")
    if groups and groups["largestGroup"] > LARGE_GROUP * certificate["entries"]:
        share = format_percent(groups["largestGroup"], certificate["entries"])
        yield make_warning(
            "LARGE_GROUP",
            "note",
            f"The largest group holds {share} of the entries, all on one side: "
            "labels that occur only in it cannot be balanced.",
        )
    if not certificate["optimal"]:
        yield make_warning(
            "NOT_PROVEN",
            "note",
            f"No proof that this is the best split of its size: another could be nearer by "
            f"{format_decimal(Fraction(certificate['gap']))} images in all, at most.",
        )
