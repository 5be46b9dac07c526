"""Format numbers and names for people; names from untrusted files are made printable."""

from fractions import Fraction

from twofold.escaping import make_printable

MAX_NAME_CHARACTERS = 300


def format_name(text: str) -> str:
    """A printable name, cut after MAX_NAME_CHARACTERS."""
    if len(text) <= MAX_NAME_CHARACTERS:
        return make_printable(text)
    return f"{make_printable(text[:MAX_NAME_CHARACTERS])}… ({format_integer(len(text))} characters)"


def format_level(level: str | None) -> str:
    """The level of a member, `(missing)` for entries without a value."""
    return "(missing)" if level is None else format_name(level)


def format_list(texts: list[str], shown: int = 5) -> str:
    more = f" and {format_integer(len(texts) - shown)} more" if len(texts) > shown else ""
    return ", ".join(format_name(text) for text in texts[:shown]) + more


def format_integer(number: int) -> str:
    return f"{number:,}"


def format_count(number: int, singular: str, plural: str) -> str:
    return f"{format_integer(number)} {singular if number == 1 else plural}"


def format_decimal(number: Fraction) -> str:
    """At most three decimals; a smaller number than 0.001 that is not zero is "< 0.001"."""
    text = f"{float(abs(number)):,.3f}".rstrip("0").rstrip(".")
    return "< 0.001" if text == "0" and number else text


def format_signed(number: Fraction, minus: str = "\N{MINUS SIGN}") -> str:
    if not number:
        return "0"
    return f"{minus if number < 0 else '+'}{format_decimal(number)}"


def format_percent(part: int | Fraction, of: int | Fraction) -> str:
    return f"{float(100 * part / of):.1f} %" if of else "\N{EN DASH}"


def format_bytes(size: int) -> str:
    for unit, name_of_unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name_of_unit}"
    return format_count(size, "byte", "bytes")
