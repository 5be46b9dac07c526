"""The test fraction as people write it: `0.2`, `1/5` and `20%` are the same exact number."""

import re
from fractions import Fraction

MAX_DENOMINATOR = 1_000_000

_FORMS = re.compile(
    r"(?P<over>[0-9]{1,20})/(?P<under>[0-9]{1,20})|(?P<plain>[0-9]{0,20}\.?[0-9]{0,20}) ?(?P<percent>%?)"
)


def parse_fraction(text: str) -> Fraction:
    """Raises ValueError, naming the allowed range."""
    fraction = _parsed(text.strip())
    if fraction is None or not 0 < fraction < 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be more than 0 and less than 1, with a denominator of at most "
            f"{MAX_DENOMINATOR:,}, such as 0.2, 1/5 or 20%; it is {text[:50]!r}."
        )
    return fraction


def _parsed(text: str) -> Fraction | None:
    form = _FORMS.fullmatch(text)
    if form is None:
        return None
    try:
        if form["under"]:
            return Fraction(int(form["over"]), int(form["under"]))
        return Fraction(form["plain"]) / (100 if form["percent"] else 1)
    except (ValueError, ZeroDivisionError):
        return None
