"""Sections of the page that every report has: the outcome, the warnings, the labels."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from twofold.report.charts import draw_bar, draw_funnel
from twofold.report.formatting import (
    format_count,
    format_decimal,
    format_integer,
    format_name,
    format_percent,
    format_signed,
)
from twofold.report.label_rows import Row, iterate_rows
from twofold.report.markup import Html, join, make_element
from twofold.report.tables import render_columns, render_number, render_scrollable
from twofold.report.warnings import MAX_NAMED

OPEN_ROWS = 25

Report = dict[str, Any]


def render_section(title: str, *children: str, id_: str) -> Html:
    heading = make_element("h2", title, id=f"{id_}-heading")
    return make_element("section", heading, *children, id=id_, aria_labelledby=f"{id_}-heading")


def render_outcome(report: Report, rows: Sequence[Row]) -> Html:
    """The summary: sizes, certificate, and key figures."""
    certificate = report["certificate"]
    entries, test = certificate["entries"], certificate["testEntriesReached"]
    shares = make_element(
        "div",
        _render_side("train", "Train", entries - test, entries),
        _render_side("test", "Test", test, entries),
        class_="sides",
    )
    chart = draw_bar(entries, test, entries, Fraction(certificate["fraction"]))
    tiles = make_element("dl", *_render_tiles(report, rows), class_="tiles")
    return make_element("div", shares, chart, render_verdict(certificate), tiles, class_="outcome")


def _render_side(class_: str, title: str, count: int, entries: int) -> Html:
    return make_element(
        "p",
        make_element("span", title, class_="title"),
        " ",
        make_element("strong", format_integer(count)),
        " ",
        make_element("span", format_percent(count, entries), class_="share"),
        class_=class_,
    )


def render_verdict(certificate: dict[str, Any]) -> Html:
    deviation = Fraction(certificate["deviation"])
    has_levels = "levelDeviation" in certificate
    labels = "labels and levels" if has_levels else "labels"
    total = f"All {labels} together are {format_images(deviation)} away from their exact shares"
    if has_levels and deviation:
        total += f" (labels: {format_decimal(Fraction(certificate['labelDeviation']))})"
    if not deviation:
        total = f"Every label{' and level' * has_levels} has its exact share"
    if certificate["optimal"]:
        text = f"{total}. No split of this size can be nearer."
        return make_element(
            "p", make_element("b", "Proven best"), " ", text, class_="verdict proven"
        )
    text = f"{total}. No split of this size can be nearer than {format_images(Fraction(certificate['lowerBound']))}."
    heading = f"Within {format_images(Fraction(certificate['gap']))} of the best possible"
    return make_element("p", make_element("b", heading), " ", text, class_="verdict open")


def format_images(number: Fraction) -> str:
    text = format_decimal(number)
    return f"{text} {'image' if text == '1' else 'images'}"


def _render_tiles(report: Report, rows: Sequence[Row]) -> Iterator[Html]:
    labels = len(report["labels"])
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    yield render_tile(
        "Labels on both sides",
        format_integer(labels - len(missing)),
        f"of {format_integer(labels)}",
    )
    if rows:
        worst = rows[0]
        images = join(["images: ", make_element("bdi", worst.name)])
        yield render_tile("Furthest from its share", format_decimal(worst.deviation), images)
    if "groups" in report:
        groups = report["groups"]
        note = f"of {format_count(groups['groups'], 'group', 'groups')}, none divided"
        yield render_tile("Groups in the test set", format_integer(groups["testGroups"]), note)
    if "previous" in report:
        kept_entries = report["previous"]["testEntries"] - report["previous"]["leftTest"]
        note = f"of {format_count(report['previous']['testEntries'], 'test entry', 'test entries')} of the previous split"
        if "matchedBy" in report["parameters"].get("previous", {}):
            note += ", in another bucket: matched by key"
        yield render_tile("Kept in the test set", format_integer(kept_entries), note)
    if "boxDeviation" in report:
        deviation = format_decimal(Fraction(report["boxDeviation"]))
        yield render_tile("Boxes off by", deviation, "in all, over all labels")
    swapped = report["certificate"]["swappedEntries"]
    yield render_tile("Swapped for balance", format_integer(swapped), "of the test entries")
    count = len(report["warnings"])
    yield render_tile("To review", format_integer(count), "below" if count else "no warnings")


def render_tile(title: str, value: str, note: str) -> Html:
    return make_element(
        "div",
        make_element("dt", title),
        make_element("dd", make_element("strong", value), " ", make_element("span", note)),
    )


def render_warnings(report: Report) -> Iterator[Html]:
    if report["warnings"]:
        items = [_render_warning(warning) for warning in report["warnings"]]
        yield render_section(
            "Warnings and notes", make_element("ul", *items, class_="warnings"), id_="warnings"
        )


def _render_warning(warning: dict[str, Any]) -> Html:
    level = make_element(
        "b", "Warning" if warning["level"] == "warning" else "Note", class_="level"
    )
    text = [level, " ", make_element("span", warning["message"])]
    labels = warning.get("labels", [])
    if labels:
        more = warning["count"] - len(labels)
        names = [make_element("li", make_element("bdi", format_name(label))) for label in labels]
        if more > 0:
            names.append(make_element("li", f"and {format_integer(more)} more"))
        text.append(make_element("ul", *names, class_="names", title=f"The first {MAX_NAMED}"))
    return make_element("li", *text, class_=warning["level"])


def render_shares(report: Report) -> Html:
    fraction = Fraction(report["certificate"]["fraction"])
    return render_section(
        "Share of each label",
        make_element(
            "p",
            "A dot is a label, or several with the same counts. The line is the target. The shaded funnel is as near to it as "
            "whole images can come, so a label with few images may be far from the line and still have its best share.",
        ),
        draw_funnel(iterate_rows(report), fraction),
        id_="shares",
    )


def render_labels(report: Report, rows: Sequence[Row]) -> Html:
    """A table of the first OPEN_ROWS labels, and a folded table of all other labels. The script merges both tables."""
    fraction = Fraction(report["certificate"]["fraction"])
    longest = max((row.before for row in rows), default=1)
    label_rows = [_render_label_row(row, longest, fraction) for row in rows]
    boxes = ("Boxes", "In test") if "boxDeviation" in report else ()
    head = render_columns("Label", "Images", "Train", "Test", "Test share", "Off by", *boxes)
    table = make_element(
        "table",
        head,
        make_element("tbody", *label_rows[:OPEN_ROWS]),
        class_="labels",
        id="label-table",
    )
    parts = [_describe_labels(report, rows), render_scrollable(table, "Table of labels")]
    if len(label_rows) > OPEN_ROWS:
        more_table = make_element(
            "table", head, make_element("tbody", *label_rows[OPEN_ROWS:]), class_="labels"
        )
        summary = make_element(
            "summary", f"{format_integer(len(label_rows) - OPEN_ROWS)} more, nearer to their share"
        )
        parts.append(
            make_element(
                "details", summary, render_scrollable(more_table, "More labels"), id="more-labels"
            )
        )
    return render_section("Labels", *parts, id_="labels")


def _describe_labels(report: Report, rows: Sequence[Row]) -> Html:
    row_count = len(report["labels"]) + bool(report["unlabelled"]["before"])
    text = (
        "The label furthest from its share comes first. A bar is all images of a label; its colours are the two sides, and "
        "the mark is the target."
    )
    if row_count > len(rows):
        text += (
            f" The table has the first {format_integer(len(rows))} of {format_integer(row_count)}; "
            "report.json has all of them."
        )
    return make_element("p", text)


def _render_label_row(row: Row, longest: int, fraction: Fraction) -> Html:
    title = make_element("bdi" if row.is_label else "i", row.name)
    share = row.test / row.before
    return make_element(
        "tr",
        make_element("th", title, draw_bar(row.before, row.test, longest, fraction), scope="row"),
        *(
            render_number(format_integer(number), number)
            for number in (row.before, row.train, row.test)
        ),
        render_number(format_percent(row.test, row.before), f"{share:.6f}"),
        render_number(
            format_signed(row.deviation),
            f"{float(abs(row.deviation)):.6f}",
            "number" if row.is_nearest else "number off",
        ),
        *_render_box_cells(row),
    )


def _render_box_cells(row: Row) -> Iterator[Html]:
    if row.boxes is not None:
        total, test_boxes = row.boxes
        yield render_number(format_integer(total), total)
        share = f", {format_percent(test_boxes, total)}" if total else ""
        yield render_number(f"{format_integer(test_boxes)}{share}", test_boxes)
