"""Sections of the page on levels, with a table for each balanced member, and on the coverage of labels."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from typing import Any

from twofold.report.charts import draw_bar
from twofold.report.formatting import (
    format_count,
    format_decimal,
    format_integer,
    format_level,
    format_list,
    format_name,
    format_percent,
    format_signed,
)
from twofold.report.markup import Html, make_element
from twofold.report.sections import Report, render_section
from twofold.report.tables import render_columns, render_number, render_scrollable
from twofold.report.warnings import MAX_NAMED

MAX_ROWS = 200
"""Rows of a table; report.json has all levels."""


def render_levels(report: Report) -> Iterator[Html]:
    if "levels" not in report:
        return
    fraction = Fraction(report["certificate"]["fraction"])
    text = (
        "Each value of these members is balanced like a label, and so are the images without a value. "
        "A member with quantiles has a row for each of them, with its lowest and highest number."
    )
    tables = [
        _render_table(member, list(rows), fraction)
        for member, rows in groupby(report["levels"], key=lambda row: row["member"])
    ]
    yield render_section("Levels", make_element("p", text), *tables, id_="levels")


def render_coverage(report: Report) -> Iterator[Html]:
    if "coverage" not in report:
        return
    coverage, minimum = report["coverage"], report["parameters"]["minPerLabel"]
    cost, without = (
        format_decimal(Fraction(coverage[name])) for name in ("cost", "deviationWithout")
    )
    text = (
        f"Each label with {format_count(2 * minimum, 'image', 'images')} or more has at least {format_integer(minimum)} on "
        f"each side. This costs {cost} images of deviation: without it, all deviations add up to {without} images."
    )
    few = coverage["labelsWithTooFewImages"]
    if few:
        text += f" {format_count(len(few), 'label has', 'labels have')} too few images: {format_list(few, MAX_NAMED)}."
    yield render_section("Images on each side", make_element("p", text), id_="coverage")


def _render_table(member: str, rows: list[dict[str, Any]], fraction: Fraction) -> Html:
    name = format_name(member)
    longest = max(row["before"] for row in rows)
    body = [_render_row(row, longest, fraction) for row in rows[:MAX_ROWS]]
    table = make_element(
        "table",
        render_columns(name, "Images", "Train", "Test", "Test share", "Off by"),
        make_element("tbody", *body),
        class_="labels",
    )
    scrollable = render_scrollable(table, f"Levels of {name}")
    if len(rows) <= MAX_ROWS:
        return scrollable
    text = f"The first {format_integer(MAX_ROWS)} of {format_integer(len(rows))}; report.json has all of them."
    return make_element("div", scrollable, make_element("p", text))


def _render_row(row: dict[str, Any], longest: int, fraction: Fraction) -> Html:
    before, test = row["before"], row["test"]
    deviation = test - fraction * before
    title = make_element("i" if row["level"] is None else "bdi", format_level(row["level"]))
    return make_element(
        "tr",
        make_element("th", title, draw_bar(before, test, longest, fraction), scope="row"),
        *(render_number(format_integer(number), number) for number in (before, row["train"], test)),
        render_number(format_percent(test, before), f"{test / before:.6f}"),
        render_number(
            format_signed(deviation),
            f"{float(abs(deviation)):.6f}",
            "number" if 2 * abs(deviation) <= 1 else "number off",
        ),
    )
