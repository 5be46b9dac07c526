"""Measured memory of the functions that hold a dataset: estimates are high enough, so an accepted job fits."""

from pathlib import Path

import pytest

from bench import memory
from bench.memory import GROUPED, MERGE, RESOLVE, SELECT, MemoryRun, measure, render_table
from bench.page_sections import replace_section
from twofold.workflow.memory import BASE_BYTES

FEW, MANY = 100_000, 400_000
READS_IN_FLIGHT = 4 << 20
"""Bytes of buffers in addition to the estimate: how many reads run at once depends on size and load."""


@pytest.mark.parametrize(
    ("function", "sizes"),
    [(RESOLVE, (FEW, MANY)), (SELECT, (500_000, 1_000_000)), (MERGE, (FEW, MANY))],
)
def test_more_entries_take_no_more_than_estimated(function: str, sizes: tuple[int, int]) -> None:
    """The difference of two sizes excludes constant memory; Select needs larger sizes because of the solver."""
    few, many = (measure(function, entries, distinct=False) for entries in sizes)
    assert 0 < many.taken - few.taken < many.load - few.load + READS_IN_FLIGHT


@pytest.mark.parametrize("function", [RESOLVE, MERGE])
def test_entries_with_distinct_label_sets_take_no_more_than_estimated(function: str) -> None:
    few, many = (measure(function, entries, distinct=True) for entries in (FEW, MANY))
    assert 0 < many.taken - few.taken < many.load - few.load + READS_IN_FLIGHT


def test_a_selection_with_distinct_label_sets_fits() -> None:
    """Ten steps of the solver: all of them take a minute and a half of processor time, and 7 % more memory."""
    run = measure(SELECT, FEW, distinct=True, work_limit=10)
    assert 1.07 * (run.base + run.taken) < BASE_BYTES + run.load


def test_a_large_selection_with_distinct_label_sets_fits() -> None:
    """The whole programme is too large: its signatures are not numbered."""
    run = measure(SELECT, 400_000, distinct=True, work_limit=10)
    assert run.base + run.taken < BASE_BYTES + run.load


def test_a_selection_by_groups_fits() -> None:
    run = measure(GROUPED, 20_000, distinct=False)
    assert 0 < run.base + run.taken < BASE_BYTES + run.load


def test_the_table_replaces_its_section(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{memory.BEGIN}\nold\n{memory.END}\n\n# After\n")
    rows = render_table(
        [MemoryRun(SELECT, 1_000_000, True, 70_000_000, 200_000_000, 280_000_000, 10.04)]
    )
    replace_section(page, memory.BEGIN, memory.END, rows)
    text = page.read_text()
    assert "| Select | 1,000,000 | one for each entry | 270 | 200 | 490 | 10.0 |" in text
    assert "old" not in text
    assert text.startswith("# Before\n")
    assert text.endswith("# After\n")
    with pytest.raises(ValueError, match="has no section"):
        replace_section(page, "<!-- other -->", memory.END, rows)
