"""The table and the sentences that a run ends with."""

import io
import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from local.results import Dropped
from local.table import MAX_ROWS, rows, sentences, table, told_drops
from twofold.split import LabelSets, select_test_entries


def any_report(images: dict[str, int]) -> dict[str, Any]:
    """Of a real split of entries with one label each."""
    counts = list(images.values())
    size = sum(counts)
    selection = select_test_entries(
        source=np.arange(size, dtype=np.uint64),
        label_set=np.repeat(np.arange(len(counts), dtype=np.uint32), counts),
        label_sets=LabelSets(
            offsets=np.arange(len(counts) + 1, dtype=np.int64),
            labels=np.arange(len(counts), dtype=np.uint32),
            names=tuple(images),
        ),
    )
    return selection.report()


def drawn(report: dict[str, Any], *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_label_has_a_row_with_the_largest_deviation_first() -> None:
    text = drawn(any_report({"cat": 10, "dog": 12, "owl": 13}))
    found = [line.split() for line in text.splitlines() if "%" in line]
    assert found == [
        ["owl", "13", "10", "3", "23.1", "%", "+0.4"],
        ["dog", "12", "10", "2", "16.7", "%", "-0.4"],
        ["cat", "10", "8", "2", "20.0", "%", "0"],
        ["All", "entries", "35", "28", "7", "20.0", "%", "0"],
    ]


@given(st.lists(st.integers(1, 9), min_size=MAX_ROWS + 1, max_size=60))
def test_of_many_labels_the_worst_are_shown_and_the_rest_are_bounded(counts: list[int]) -> None:
    report = any_report({f"label{number}": count for number, count in enumerate(counts)})
    text = drawn(report)
    shown, hidden = rows(report)[:MAX_ROWS], rows(report)[MAX_ROWS:]
    assert len(re.findall(r"label\d+ ", text)) == MAX_ROWS
    assert min(abs(row.deviation) for row in shown) >= max(abs(row.deviation) for row in hidden)
    assert f"{len(hidden)} more labels" in text
    assert f"at most {abs(float(hidden[0].deviation)):g}" in text


def test_entries_without_a_label_have_a_row_of_their_own() -> None:
    selection = select_test_entries(
        source=np.arange(10, dtype=np.uint64),
        label_set=np.array([0, 1] * 5, np.uint32),
        label_sets=LabelSets(
            offsets=np.array([0, 1, 1], np.int64), labels=np.array([0], np.uint32), names=("cat",)
        ),
    )
    assert re.search(r"\(no label\) +5 +4 +1 +20\.0 % +0", drawn(selection.report()))


def test_labels_are_shown_as_text_and_not_as_markup_or_commands() -> None:
    report = any_report({"[red]x[/red]": 5, "\x1b[31mred": 5, ":cat:": 5})
    text = drawn(report)
    assert "[red]x[/red]" in text
    assert "\\x1b[31mred" in text
    assert ":cat:" in text


def test_the_certificate_is_told_in_exact_numbers() -> None:
    count, optimum, *missing = sentences(any_report({"cat": 12, "dog": 13, "owl": 1}))
    assert count == "Exactly 5 of 26 entries are tested: 20 %, rounded to a whole entry."
    assert optimum == (
        "The deviations add up to 1 image; it is proven that no split of this size has less "
        "(integrality floor)."
    )
    assert missing == ["Too few images to be in the test dataset: owl."]


def test_a_gap_is_stated() -> None:
    report = any_report({"cat": 12})
    report["certificate"] |= {"optimal": False, "lowerBound": "1/5", "proof": "work limit"}
    assert "no split of this size has less than 0.2 (work limit)" in list(sentences(report))[1]


def test_the_first_dropped_lines_are_told_and_the_others_counted() -> None:
    dropped = [Dropped(number, "ERROR_INVALID_JSON_LINE", "a\tb") for number in range(1, 13)]
    told = list(told_drops(dropped))
    assert told[0] == "12 lines were dropped:"
    assert told[1] == "  line 1: ERROR_INVALID_JSON_LINE a\\tb"
    assert told[-1] == "  and 2 more; report.json has them all."
    assert next(told_drops(dropped[:1])) == "1 line was dropped:"
    assert list(told_drops([])) == []
