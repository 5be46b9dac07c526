"""Parse the test fraction: `0.2`, `1/5` and `20%` are the same exact number."""

import re
from fractions import Fraction

MAX_DENOMINATOR = 1_000_000

_FORMS = re.compile(
    r"(?P<numerator>[0-9]{1,20})/(?P<denominator>[0-9]{1,20})|(?P<decimal>[0-9]{0,20}\.?[0-9]{0,20}) ?(?P<percent>%?)"
)


def parse_fraction(text: str) -> Fraction:
    """The fraction in `text`. Raises ValueError if it is malformed or out of range."""
    fraction = _parse_number(text.strip())
    if fraction is None or not 0 < fraction < 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be more than 0 and less than 1, with a denominator of at most "
            f"{MAX_DENOMINATOR:,}, such as 0.2, 1/5 or 20%; it is {text[:50]!r}."
        )
    return fraction


def _parse_number(text: str) -> Fraction | None:
    form = _FORMS.fullmatch(text)
    if form is None:
        return None
    try:
        if form["denominator"]:
            return Fraction(int(form["numerator"]), int(form["denominator"]))
        return Fraction(form["decimal"]) / (100 if form["percent"] else 1)
    except (ValueError, ZeroDivisionError):
        return None
