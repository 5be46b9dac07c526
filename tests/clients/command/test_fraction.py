from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.fraction import parse_fraction


@given(st.integers(2, 1_000_000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_a_quotient_is_that_number(parts: tuple[int, int]) -> None:
    assert parse_fraction(f"{parts[0]}/{parts[1]}") == Fraction(*parts)


@given(st.integers(1, 9_999))
def test_all_spellings_of_a_decimal_are_one_number(digits: int) -> None:
    spellings = (f"0.{digits:04}", f".{digits:04}0", f"{digits / 100:.2f}%", f"{digits}/10000")
    assert {parse_fraction(text) for text in spellings} == {Fraction(digits, 10_000)}


@given(st.text())
def test_no_text_is_a_fraction_out_of_range(text: str) -> None:
    with suppress(ValueError):
        assert 0 < parse_fraction(text) < 1


@pytest.mark.parametrize("text", ["0", "1", "0/5", "5/5", "7/5", "100%", "-0.2", "1e-3", "2/0"])
def test_a_fraction_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="less than 1"):
        parse_fraction(text)
