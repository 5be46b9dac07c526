"""Blank lines of an update: ignored at both ends, rejected in between."""

import pytest

from tests.support.job import make_line
from twofold.manifest.index.resolve import KEPT
from twofold.workflow.changes import read_changes

ONE, TWO = make_line(1, "a"), make_line(2, "a")


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
def test_blank_lines_at_the_ends_are_ignored(text: str) -> None:
    changes = read_changes(text.encode())
    assert changes.lines == [ONE.encode(), TWO.encode()]
    assert changes.resolution.rejected == 0


def test_trailing_blanks_of_a_line_are_kept() -> None:
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
    (rejected,) = read_changes(text.encode()).resolution.iterate_rejected_lines()
    assert (rejected.line, rejected.detail) == (number, detail)


@pytest.mark.parametrize("text", [b"\n", b" \n\t\n", b"\xef\xbb\xbf\n"])
def test_a_blank_text_has_rejected_lines_only(text: bytes) -> None:
    resolution = read_changes(text).resolution
    assert resolution.rejected == resolution.lines > 0
    assert not (resolution.side == KEPT).any()
