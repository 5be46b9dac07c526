"""Prices are data: each with the page that it stands on, the day on which it was entered, and its line in the docs."""

from datetime import date
from pathlib import Path

import pytest

from bench import prices
from bench.prices import Price

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("price", prices.ALL, ids=lambda price: price.what)
def test_each_price_says_where_and_when_it_was_found(price: Price) -> None:
    assert price.page.startswith("https://aws.amazon.com/")
    assert date.fromisoformat(price.entered) >= date(2026, 1, 1)
    assert price > 0


def test_a_number_without_a_source_is_no_price() -> None:
    numbers = {name: value for name, value in vars(prices).items() if type(value) is float}
    assert not numbers
    assert len(prices.ALL) == len({price.what for price in prices.ALL}) >= 15


def test_a_price_is_for_one_unit_of_what_the_page_has() -> None:
    assert Price(5, "things", "https://aws.amazon.com/", per=1_000) == 0.005
    assert pytest.approx(0.01) == 2_000 * prices.S3_WRITE


def test_the_page_lists_them() -> None:
    """`python -m bench.prices` prints the table; what is not reckoned stands in sentences."""
    assert prices.table() in PAGE
    assert f"${prices.S3_GB_MONTH:.3f} a GB-month" in PAGE
    assert f"${prices.ALARM_MONTH:.2f} a month for each alarm" in PAGE
    assert f"${prices.METRIC_MONTH:.2f} for each metric" in PAGE
