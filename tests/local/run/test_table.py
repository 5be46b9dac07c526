"""The table of labels in the terminal output of `make run`."""

import io
import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from local.run.table import MAX_ROWS, draw_label_table
from tests.support.split_reports import build_report
from twofold.split import LabelSets, select_test_entries
from twofold_command.summary import rank_labels


def render_table(report: dict[str, Any], *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(draw_label_table(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_label_has_a_row_with_the_largest_deviation_first() -> None:
    text = render_table(build_report({"cat": 10, "dog": 12, "owl": 13}))
    cells = [line.split() for line in text.splitlines() if "%" in line]
    assert cells == [
        ["owl", "13", "10", "3", "23.1", "%", "+0.4"],
        ["dog", "12", "10", "2", "16.7", "%", "-0.4"],
        ["cat", "10", "8", "2", "20.0", "%", "0"],
        ["All", "images", "35", "28", "7", "20.0", "%", "0"],
    ]


@given(st.lists(st.integers(1, 9), min_size=MAX_ROWS + 1, max_size=60))
def test_a_long_table_shows_the_largest_deviations_and_a_bound_of_the_others(
    counts: list[int],
) -> None:
    report = build_report({f"label{number}": count for number, count in enumerate(counts)})
    text = render_table(report)
    rows = rank_labels(report)
    shown, hidden = rows[:MAX_ROWS], rows[MAX_ROWS:]
    assert len(re.findall(r"label\d+ ", text)) == MAX_ROWS
    assert min(abs(row.deviation) for row in shown) >= max(abs(row.deviation) for row in hidden)
    assert f"{len(hidden)} more labels" in text
    assert f"at most {abs(float(hidden[0].deviation)):g}" in text


def test_entries_without_a_label_have_a_row() -> None:
    selection = select_test_entries(
        source=np.arange(10, dtype=np.uint64),
        label_set=np.array([0, 1] * 5, np.uint32),
        label_sets=LabelSets(
            offsets=np.array([0, 1, 1], np.int64), labels=np.array([0], np.uint32), names=("cat",)
        ),
    )
    assert re.search(r"\(no label\) +5 +4 +1 +20\.0 % +0", render_table(selection.build_report()))


def test_markup_and_control_characters_in_labels_have_no_effect() -> None:
    report = build_report({"[red]x[/red]": 5, "\x1b[31mred": 5, ":cat:": 5})
    text = render_table(report)
    assert "[red]x[/red]" in text
    assert "\\x1b[31mred" in text
    assert ":cat:" in text
