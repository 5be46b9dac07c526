"""Prices are data: each has a source page, a date of entry, and a line in the docs."""

from datetime import date
from pathlib import Path

import pytest

from bench import prices
from bench.prices import Price

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("price", prices.PRICES, ids=lambda price: price.unit)
def test_each_price_has_a_source_page_and_a_date(price: Price) -> None:
    assert price.page.startswith("https://aws.amazon.com/")
    assert date.fromisoformat(price.entered) >= date(2026, 1, 1)
    assert price > 0


def test_a_number_without_a_source_is_no_price() -> None:
    numbers = {name: value for name, value in vars(prices).items() if type(value) is float}
    assert not numbers
    assert len(prices.PRICES) == len({price.unit for price in prices.PRICES}) >= 15


def test_a_price_is_for_one_unit() -> None:
    assert Price(5, "things", "https://aws.amazon.com/", per=1_000) == 0.005
    assert pytest.approx(0.01) == 2_000 * prices.S3_WRITE


def test_the_page_lists_all_prices() -> None:
    """`python -m bench prices` prints the table; prices that no estimate uses are in sentences."""
    assert prices.render_table() in PAGE
    assert f"${prices.S3_GB_MONTH:.3f} a GB-month" in PAGE
    assert f"${prices.ALARM_MONTH:.2f} a month for each metric of an alarm" in PAGE
    assert f"${prices.METRIC_MONTH:.2f} for each metric" in PAGE
