"""Measured sections of docs pages, between HTML comments; the rest of a page stays unchanged."""

from datetime import UTC, datetime
from pathlib import Path

from bench.page import describe_machine


def replace_section(page: Path, begin: str, end: str, text: str) -> None:
    """Replace the section between `begin` and `end`. Raises ValueError if the page lacks one of them."""
    before, has_begin, following = page.read_text(encoding="utf-8").partition(begin)
    _, has_end, after = following.partition(end)
    if not has_begin or not has_end:
        raise ValueError(f"{page} has no section {begin} ... {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def describe_measurement() -> str:
    return f"Measured on {datetime.now(UTC):%Y-%m-%d} with {describe_machine()}."


def publish_table(page: Path | None, begin: str, end: str, table: str) -> None:
    """Print the table with the date and the machine, and write both into the page if given."""
    text = f"{describe_measurement()}\n\n{table}"
    print(text)
    if page:
        replace_section(page, begin, end, text)
