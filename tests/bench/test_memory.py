"""What the functions take that hold a dataset, measured; and that a job which is let in fits."""

from pathlib import Path

import pytest

from bench import memory
from bench.marks import put_between
from bench.memory import MERGE, RESOLVE, SELECT, Held, measured, table
from twofold.workflow.room import BASE_BYTES

FEW, MANY = 100_000, 400_000


@pytest.mark.parametrize(
    ("function", "sizes"),
    [(RESOLVE, (FEW, MANY)), (SELECT, (500_000, 1_000_000)), (MERGE, (FEW, MANY))],
)
def test_more_entries_take_no_more_than_is_reckoned_for_them(
    function: str, sizes: tuple[int, int]
) -> None:
    """The difference, so that what a process takes anyhow does not hide it. Of a choice that is much at first: the solver."""
    few, many = (measured(function, entries, distinct=False) for entries in sizes)
    assert 0 < many.taken - few.taken < many.load - few.load


@pytest.mark.parametrize("function", [RESOLVE, MERGE])
def test_nor_do_entries_with_label_sets_of_their_own(function: str) -> None:
    few, many = (measured(function, entries, distinct=True) for entries in (FEW, MANY))
    assert 0 < many.taken - few.taken < many.load - few.load


def test_the_choice_among_label_sets_of_their_own_fits() -> None:
    one = measured(SELECT, FEW, distinct=True)
    assert one.base + one.taken < BASE_BYTES + one.load


def test_the_table_goes_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{memory.BEGIN}\nold\n{memory.END}\n\n# After\n")
    rows = table([Held(SELECT, 1_000_000, True, 70_000_000, 200_000_000, 280_000_000, 10.04)])
    put_between(page, memory.BEGIN, memory.END, rows)
    text = page.read_text()
    assert "| Select | 1,000,000 | one for each entry | 270 | 200 | 490 | 10.0 |" in text
    assert "old" not in text
    assert text.startswith("# Before\n")
    assert text.endswith("# After\n")
    with pytest.raises(ValueError, match="has no place"):
        put_between(page, "<!-- other -->", memory.END, rows)
