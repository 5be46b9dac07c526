"""Elements of the tables of the page."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from twofold.report.formatting import (
    format_integer,
    format_name,
    format_percent,
    format_signed,
)
from twofold.report.markup import Html, join, make_element


def render_columns(*names: str) -> Html:
    """The head of a table: a column of names, then columns of numbers."""
    first, *numbers = names
    heads = [make_element("th", first, scope="col")]
    heads += [make_element("th", name, scope="col", class_="number") for name in numbers]
    return make_element("thead", make_element("tr", *heads))


def render_scrollable(table: Html, label: str) -> Html:
    """A container that scrolls a wide table, in place of the page, on a small screen."""
    return make_element("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def render_number(text: str, value: object, class_: str = "number") -> Html:
    return make_element("td", text, class_=class_, data_value=value)


def render_pair_rows(pairs: Sequence[dict[str, Any]], fraction: Fraction) -> Html:
    """A table row for each pair of labels."""
    return join(
        make_element(
            "tr",
            make_element("th", *_render_pair_names(pair["labels"]), scope="row"),
            render_number(format_integer(pair["before"]), pair["before"]),
            render_number(format_integer(pair["test"]), pair["test"]),
            render_number(format_percent(pair["test"], pair["before"]), pair["share"]),
            render_number(
                format_signed(pair["test"] - fraction * pair["before"]), pair["deviation"]
            ),
        )
        for pair in pairs
    )


def _render_pair_names(labels: Sequence[str]) -> Iterator[Html]:
    first, second = (make_element("bdi", format_name(label)) for label in labels)
    yield join([first, " + ", second])
