"""Text for people: numbers, and names from a stranger's file in which nothing hides."""

from fractions import Fraction

from twofold.escaping import make_printable

MAX_NAME_CHARACTERS = 300


def name(text: str) -> str:
    """A printable name, cut where it is longer than anyone reads."""
    if len(text) <= MAX_NAME_CHARACTERS:
        return make_printable(text)
    return f"{make_printable(text[:MAX_NAME_CHARACTERS])}… ({whole(len(text))} characters)"


def listed(texts: list[str], shown: int = 5) -> str:
    more = f" and {whole(len(texts) - shown)} more" if len(texts) > shown else ""
    return ", ".join(name(text) for text in texts[:shown]) + more


def whole(number: int) -> str:
    return f"{number:,}"


def counted(number: int, one: str, several: str) -> str:
    return f"{whole(number)} {one if number == 1 else several}"


def decimal(number: Fraction) -> str:
    """Three decimals at most; a number that is not zero does not look like it."""
    text = f"{float(abs(number)):,.3f}".rstrip("0").rstrip(".")
    return "< 0.001" if text == "0" and number else text


def signed(number: Fraction) -> str:
    if not number:
        return "0"
    sign = "\N{MINUS SIGN}" if number < 0 else "+"
    return f"{sign}{decimal(number)}"


def percent(part: int | Fraction, of: int | Fraction) -> str:
    return f"{float(100 * part / of):.1f} %" if of else "\N{EN DASH}"


def bytes_of(size: int) -> str:
    for unit, name_of_unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name_of_unit}"
    return counted(size, "byte", "bytes")
