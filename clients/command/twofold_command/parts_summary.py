"""The report of a split into parts as sentences for the terminal."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable
from twofold.report.formatting import format_count, format_decimal, format_integer, format_list
from twofold_command.summary import (
    summarize_deviation,
    summarize_label_errors,
    summarize_rejected_lines,
    summarize_report,
)

Report = dict[str, Any]


def summarize_split(report: Report) -> Iterator[str]:
    """Yields the outcome of a split in sentences, for a report of any format."""
    return summarize_parts(report) if "format" in report else summarize_report(report)


def summarize_parts(report: Report) -> Iterator[str]:
    """Yields the outcome of a split into parts: sizes, balance, proof, and the lines and labels that need attention."""
    yield _summarize_sizes(report)
    if "groups" in report:
        yield _summarize_groups(report["groups"])
    yield _summarize_labels(report["labels"])
    yield summarize_deviation(report["certificate"])
    for name, labels in report["labelsMissing"].items():
        if labels:
            yield f"Labels without an image in {make_printable(name)}: {format_list(labels)}."
    if report["source"]["errorEntries"]:
        yield summarize_label_errors(report["source"])
    if report["dropped"]["lines"]:
        yield from summarize_rejected_lines(report["dropped"])


def _summarize_sizes(report: Report) -> str:
    certificate = report["certificate"]
    names = [make_printable(part["name"]) for part in report["parameters"]["parts"]]
    requested, reached = certificate["entriesWanted"], certificate["entriesReached"]
    sizes = [
        f"{name} {format_integer(count)}"
        + ("" if count == wish else f" ({format_integer(wish)} requested)")
        for name, count, wish in zip(names, reached, requested, strict=True)
    ]
    remark = "" if requested == reached else "; whole groups do not add up to the requested numbers"
    images = format_count(certificate["entries"], "image", "images")
    return f"Parts: {', '.join(sizes)} of {images}{remark}."


def _summarize_groups(groups: Report) -> str:
    largest = format_count(groups["largestGroup"], "image", "images")
    singles = groups.get("ungrouped", 0)
    return (
        f"Groups: {format_integer(groups['groups'])}, none divided. Largest group: {largest}."
        + (
            f" Images without a group, each on its own: {format_integer(singles)}."
            if singles
            else ""
        )
    )


def _summarize_labels(rows: list[dict[str, Any]]) -> str:
    worst = max(rows, key=lambda row: Fraction(row["deviation"]))
    deviation = format_decimal(Fraction(worst["deviation"]))
    return (
        f"Labels: {format_integer(len(rows))}. Largest deviation: {format_list([worst['label']])}, "
        f"{deviation} of {format_count(worst['before'], 'image', 'images')}, over all parts."
    )
