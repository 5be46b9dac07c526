"""Blank lines around and between the lines of an update: none at its ends counts, and the others are named."""

import pytest

from tests.job import line
from twofold.manifest.resolve import KEPT
from twofold.workflow.merge import read_changes

ONE, TWO = line(1, "a"), line(2, "a")


@pytest.mark.parametrize(
    "text",
    [
        f"\n{ONE}\n{TWO}\n",
        f"\r\n \t\n{ONE}\n{TWO}",
        f"{ONE}\r\n{TWO}\r\n\r\n",
        f"{ONE}\n{TWO}\n\n  \n   ",
        f"\ufeff\n{ONE}\n{TWO}\n",
        f"\ufeff{ONE}\n{TWO}\n",
    ],
)
def test_blank_lines_at_the_ends_are_no_lines(text: str) -> None:
    changes = read_changes(text.encode())
    assert changes.lines == [ONE.encode(), TWO.encode()]
    assert changes.resolution.rejected == 0


def test_what_stands_behind_a_line_stays_a_part_of_it() -> None:
    assert read_changes(f"\n{ONE} \t\r\n\n".encode()).lines == [f"{ONE} \t".encode()]


@pytest.mark.parametrize(
    ("text", "number", "detail"),
    [
        (f"\n\n{ONE}\n\n{TWO}\n", 4, "The line is blank."),
        (f"{ONE}\n \t\n{TWO}\n", 2, "The line is blank."),
        (f"\n{ONE}\n{TWO}\n{ONE}\n", 4, "The source-ref is already on line 2."),
        (f"\n{ONE}\n{TWO}\0\n", 3, f"The line has a NUL at byte {len(TWO) + 1}."),
    ],
)
def test_lines_are_numbered_as_they_were_sent(text: str, number: int, detail: str) -> None:
    (rejected,) = read_changes(text.encode()).resolution.rejected_lines()
    assert (rejected.line, rejected.detail) == (number, detail)


@pytest.mark.parametrize("text", [b"\n", b" \n\t\n", b"\xef\xbb\xbf\n"])
def test_a_blank_text_has_no_entry_and_says_so(text: bytes) -> None:
    resolution = read_changes(text).resolution
    assert resolution.rejected == resolution.lines > 0
    assert not (resolution.side == KEPT).any()
