"""Warnings and notes on a split into parts."""

from collections.abc import Iterator
from fractions import Fraction

from twofold.report.formatting import (
    format_count,
    format_decimal,
    format_integer,
    format_list,
    format_percent,
)
from twofold.report.warnings import (
    LARGE_GROUP,
    MANY_UNLABELLED,
    Report,
    ReportWarning,
    check_imbalance,
    make_warning,
    warn_of_labels,
)


def find_parts_warnings(report: Report) -> list[ReportWarning]:
    """The warnings of a report, level `warning` before level `note`; those on missing labels also have the `part`."""
    warnings = [
        *_check_missing_labels(report),
        *_check_source(report),
        *check_imbalance(report["labels"]),
        *_check_split(report),
    ]
    return sorted(warnings, key=lambda warning: warning["level"] != "warning")


def _check_missing_labels(report: Report) -> Iterator[ReportWarning]:
    for name, labels in report["labelsMissing"].items():
        for warning in warn_of_labels(
            "LABELS_MISSING", "warning", labels, f"without an image in {name}."
        ):
            yield {**warning, "part": name}
    missing = {label for labels in report["labelsMissing"].values() for label in labels}
    rare = [label for label in report["rareLabels"] if label not in missing]
    yield from warn_of_labels(
        "RARE_LABELS",
        "note",
        rare,
        "in every part with fewer images than one for each by its share: their shares are well off the target.",
    )


def _check_source(report: Report) -> Iterator[ReportWarning]:
    if report["dropped"]["lines"]:
        lines = format_count(report["dropped"]["lines"], "line is", "lines are")
        yield make_warning(
            "DROPPED_LINES", "warning", f"{lines} in no part: they are not valid entries."
        )
    if report["source"]["errorEntries"]:
        entries = format_count(report["source"]["errorEntries"], "entry has", "entries have")
        yield make_warning(
            "ERROR_ENTRIES", "warning", f"{entries} errors in the labels; they stay in the parts."
        )
    entries, unlabelled = report["certificate"]["entries"], report["unlabelled"]["before"]
    if unlabelled and unlabelled >= MANY_UNLABELLED * entries:
        yield make_warning(
            "UNLABELLED",
            "note",
            f"{format_percent(unlabelled, entries)} of the entries have no label; they are balanced like a label of their own.",
        )


def _check_split(report: Report) -> Iterator[ReportWarning]:
    certificate = report["certificate"]
    names = [part["name"] for part in report["parameters"]["parts"]]
    requested, reached = certificate["entriesWanted"], certificate["entriesReached"]
    if requested != reached:
        sizes = [
            f"{name} {format_integer(reached[i])} of {format_integer(requested[i])}"
            for i, name in enumerate(names)
            if requested[i] != reached[i]
        ]
        yield make_warning(
            "SIZE_NOT_EXACT",
            "note",
            f"Whole groups add up to no nearer numbers of entries: {format_list(sizes)} wanted.",
        )
    groups = report.get("groups")
    if groups and groups["largestGroup"] > LARGE_GROUP * certificate["entries"]:
        share = format_percent(groups["largestGroup"], certificate["entries"])
        yield make_warning(
            "LARGE_GROUP",
            "note",
            f"The largest group holds {share} of the entries, all in one part: "
            "labels that occur only in it cannot be balanced.",
        )
    if not certificate["optimal"]:
        yield make_warning(
            "NOT_PROVEN",
            "note",
            "No proof that this is the best split into parts of these sizes: another could be nearer by "
            f"{format_decimal(Fraction(certificate['gap']))} images in all, at most.",
        )
