"""A measured part of a page of docs, between marks of its own; what else the page says stays."""

from datetime import UTC, datetime
from pathlib import Path

from bench.page import machine


def put_between(page: Path, begin: str, end: str, text: str) -> None:
    """Raises ValueError if the page has no such marks."""
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no place for this: {begin} ... {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def measured_on() -> str:
    return f"Measured on {datetime.now(UTC):%Y-%m-%d} with {machine()}."


def tell(page: Path | None, begin: str, end: str, table: str) -> None:
    """Prints the table with the day and the machine, and puts both into the page if there is one."""
    text = f"{measured_on()}\n\n{table}"
    print(text)
    if page:
        put_between(page, begin, end, text)
