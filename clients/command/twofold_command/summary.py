"""The report of a split as text: sentences for the terminal, and the rows of the table of labels.

`twofold split`, `twofold report` and `make run` share this renderer.
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable
from twofold.report.formatting import (
    format_count,
    format_decimal,
    format_integer,
    format_level,
    format_list,
    format_signed,
)
from twofold.report.label_rows import Row, iterate_rows, rank_row

MAX_REJECTED_LINES_SHOWN = 10
TABLE_COLUMNS = ("Label", "Images", "Train", "Test", "Test share", "Deviation")

_TIMES = "\N{MULTIPLICATION SIGN}"

Report = dict[str, Any]


def render_cells(row: Row) -> tuple[str, ...]:
    """Returns the cells in the order of TABLE_COLUMNS; control characters in the label are escaped."""
    share = f"{100 * row.test / row.before:.1f} %" if row.before else ""
    counts = (str(row.before), str(row.train), str(row.test))
    return (make_printable(row.label), *counts, share, format_signed(row.deviation, minus="-"))


def rank_labels(report: Report) -> list[Row]:
    """Returns a row for each label, the largest deviation first."""
    return sorted((row for row in iterate_rows(report) if row.is_label), key=rank_row)


def build_unlabelled_row(report: Report) -> Row | None:
    """Returns the row of the images without a label, or None if every image has one."""
    return next((row for row in iterate_rows(report) if not row.is_label), None)


def build_total_row(report: Report) -> Row:
    """Returns the row of all images."""
    certificate = report["certificate"]
    images, test = certificate["entries"], certificate["testEntriesReached"]
    return Row("All images", images, test, _get_fraction(report), is_label=False)


def summarize_report(report: Report) -> Iterator[str]:
    """Yields the outcome of a split in sentences: sizes, balance, proof, and the lines and labels that need attention."""
    yield _summarize_size(report)
    if "groups" in report:
        yield _summarize_groups(report["groups"])
    if "previous" in report:
        yield _summarize_previous(report["previous"], report["parameters"].get("previous", {}))
    yield _summarize_labels(report["labels"])
    if "levels" in report:
        yield _summarize_levels(report)
    yield summarize_deviation(report["certificate"])
    if "coverage" in report:
        yield from _summarize_coverage(report)
    if "boxDeviation" in report:
        yield _summarize_boxes(report)
    yield from _summarize_missing_labels(report)
    if report["source"]["errorEntries"]:
        yield summarize_label_errors(report["source"])
    if report.get("dropped", {}).get("lines"):
        yield from summarize_rejected_lines(report["dropped"])


def _get_fraction(report: Report) -> Fraction:
    return Fraction(report["certificate"]["fraction"])


def _summarize_size(report: Report) -> str:
    certificate = report["certificate"]
    reached, requested = certificate["testEntriesReached"], certificate["testEntriesWanted"]
    images, fraction = certificate["entries"], _get_fraction(report)
    share = f"{100 * reached / images:.1f}".removesuffix(".0") + " %"
    if reached != requested:
        share += f"; {format_integer(requested)} requested, whole groups do not add up to it"
    elif reached != fraction * images:
        share += f", the nearest whole number to {format_decimal(100 * fraction)} %"
    dry_run = "Dry run, nothing was moved. " if report.get("dryRun") else ""
    return f"{dry_run}Test set: {format_integer(reached)} of {format_count(images, 'image', 'images')} ({share})."


def _summarize_groups(groups: dict[str, int]) -> str:
    largest = format_count(groups["largestGroup"], "image", "images")
    singles = groups.get("ungrouped", 0)
    return (
        f"Groups: {format_integer(groups['testGroups'])} of {format_integer(groups['groups'])} in the test set, none divided. "
        f"Largest group: {largest}."
        + (
            f" Images without a group, each on its own: {format_integer(singles)}."
            if singles
            else ""
        )
    )


def _summarize_previous(previous: dict[str, int], parameters: dict[str, str]) -> str:
    test_images = format_count(previous["testEntries"], "test image", "test images")
    return (
        f"Previous split: {format_integer(previous['leftTest'])} of {test_images} left the test set, "
        f"{format_count(previous['enteredTest'], 'training image', 'training images')} entered it; "
        f"new images: {format_integer(previous['newEntries'])}."
        + (
            " The previous images are in another bucket: matched by key."
            if "matchedBy" in parameters
            else ""
        )
    )


def _summarize_labels(rows: list[dict[str, Any]]) -> str:
    worst = max(rows, key=lambda row: Fraction(row["deviation"]))
    deviation = format_decimal(Fraction(worst["deviation"]))
    return (
        f"Labels: {format_integer(len(rows))}. Largest deviation: {format_list([worst['label']])}, "
        f"{deviation} of {format_count(worst['before'], 'image', 'images')}."
    )


def summarize_deviation(certificate: dict[str, Any]) -> str:
    total = (
        f"Total deviation: {_count_images(certificate['deviation'])}{_split_deviation(certificate)}"
    )
    checkable = _format_checkable_bound(certificate)
    if certificate["optimal"]:
        return f"{total}, the minimum possible (proof: {certificate['proof']}{checkable})."
    bound = _count_images(certificate["lowerBound"])
    return f"{total}; lower bound: {bound} (not proven minimal: {certificate['proof']}{checkable})."


def _format_checkable_bound(certificate: dict[str, Any]) -> str:
    """The bound that `verify` recomputes, where the solver claims more; reports of older versions have none."""
    bound = certificate.get("dualBound", {}).get("bound", certificate["lowerBound"])
    if bound == certificate["lowerBound"] or certificate["proof"] == "integrality floor":
        return ""
    return f"; checkable lower bound: {_count_images(bound)}"


def _split_deviation(certificate: dict[str, Any]) -> str:
    """Returns the parts of labels and levels, if levels are balanced."""
    if "levelDeviation" not in certificate:
        return ""
    labels, levels = (
        format_decimal(Fraction(certificate[name])) for name in ("labelDeviation", "levelDeviation")
    )
    return f" (labels: {labels}, levels: {levels})"


def _summarize_coverage(report: Report) -> Iterator[str]:
    coverage, minimum = report["coverage"], report["parameters"]["minPerLabel"]
    enough = format_count(2 * minimum, "image", "images")
    yield (
        f"Each label with {enough} or more has at least {format_integer(minimum)} on each side; "
        f"cost: {_count_images(coverage['cost'])} of deviation."
    )
    few = coverage["labelsWithTooFewImages"]
    if few:
        yield f"Labels with fewer than {enough}, not covered: {format_list(few)}."


def _summarize_levels(report: Report) -> str:
    worst = max(report["levels"], key=lambda row: Fraction(row["deviation"]))
    deviation = format_decimal(Fraction(worst["deviation"]))
    return (
        f"Levels: {format_integer(len(report['levels']))} of {format_list(report['parameters']['balanceBy'])}. "
        f"Largest deviation: {format_list([worst['member']])} {format_level(worst['level'])}, "
        f"{deviation} of {format_count(worst['before'], 'image', 'images')}."
    )


def _count_images(deviation: str) -> str:
    number = format_decimal(Fraction(deviation))
    return f"{number} image" if number == "1" else f"{number} images"


def _summarize_boxes(report: Report) -> str:
    boxes = sum(row["boxes"] for row in report["labels"])
    test_boxes = sum(row["boxesInTest"] for row in report["labels"])
    deviation = format_decimal(Fraction(report["boxDeviation"]))
    share = f"{format_integer(test_boxes)} of {format_integer(boxes)} in the test set"
    return f"Boxes: {share}. Total deviation: {deviation} boxes."


def _summarize_missing_labels(report: Report) -> Iterator[str]:
    confined = {*report.get("groups", {}).get("labelsInOneGroup", ())}
    for side, key in (("test", "labelsMissingInTest"), ("training", "labelsMissingInTrain")):
        rare = [label for label in report[key] if label not in confined]
        if rare:
            yield f"Labels with too few images for the {side} set: {format_list(rare)}."
        in_one_group = [label for label in report[key] if label in confined]
        if in_one_group:
            yield f"Labels with all images in one group, none in the {side} set: {format_list(in_one_group)}."


def summarize_label_errors(source: dict[str, Any]) -> str:
    kept_images = format_count(
        source["errorEntries"], "image with label errors", "images with label errors"
    )
    codes = [
        f"{format_integer(error['entries'])} {_TIMES} {make_printable(error['code'])} (first: line {error['firstLine']})"
        for error in source.get("errors", ())
    ]
    return f"Kept {kept_images}: {', '.join(codes)}." if codes else f"Kept {kept_images}."


def summarize_rejected_lines(rejected: dict[str, Any]) -> Iterator[str]:
    """Yields the number of rejected lines by code, then the first lines with their details."""
    lines, total = rejected["reasons"], rejected["lines"]
    first_lines: dict[str, int] = {}
    for line in lines:
        first_lines.setdefault(line["reason"], line["line"])
    codes = [
        f"{format_integer(count)} {_TIMES} {make_printable(code)} (first: line {first_lines[code]})"
        for code, count in Counter(line["reason"] for line in lines).most_common()
    ]
    skipped = f"Skipped {format_count(total, 'invalid line', 'invalid lines')}"
    yield f"{skipped}: {', '.join(codes)}." if codes else f"{skipped}."
    for line in lines[:MAX_REJECTED_LINES_SHOWN]:
        yield make_printable(f"  line {line['line']}: {line['reason']} {line['detail']}".rstrip())
    if total > MAX_REJECTED_LINES_SHOWN:
        yield f"  and {format_integer(total - MAX_REJECTED_LINES_SHOWN)} more; report.json lists them."
