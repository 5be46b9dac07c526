"""Label names made so that sums of their 64-bit words are equal: label sets stay apart all the same."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.collisions import EQUAL_SUMS
from tests.split.any_data import Entry, chosen, deviation, split
from tests.split.milp import least_deviation
from twofold.split import Objective
from twofold.split.exchanges import exchange_while_better
from twofold.split.rows import Rows, label_words, row_sums_of_words
from twofold.split.signatures import sort_by_signature
from twofold.split.units import Units
from twofold.split.window import Window, open_window

FIFTH = Fraction(1, 5)


def make_rows(contents: list[dict[int, int]]) -> Rows:
    """Rows of these counts by label."""
    return Rows(
        offsets=np.cumsum([0, *map(len, contents)], dtype=np.int64),
        labels=np.array([label for row in contents for label in sorted(row)], np.int32),
        counts=np.array([row[label] for row in contents for label in sorted(row)], np.int64),
    )


@pytest.mark.parametrize(("ones", "others"), EQUAL_SUMS)
def test_the_sets_have_equal_sums(ones: tuple[str, str], others: tuple[str, str]) -> None:
    rows = make_rows([{0: 1, 1: 1}, {2: 1, 3: 1}])
    first, second = row_sums_of_words(rows, label_words((*ones, *others)))
    assert first == second


def entries_of(sets: list[frozenset[str]], each: int) -> Iterator[Entry]:
    """So many entries of each label set, three to a group."""
    random = Random(7)
    for number, labels in enumerate(sets * each):
        yield Entry(random.getrandbits(63), labels, number // 3, (random.randrange(1, 9), 1, 40))


CRAFTED = [frozenset(side) for pair in EQUAL_SUMS for side in pair]


@pytest.mark.parametrize(
    "options",
    [{}, {"grouped": True}, {"objective": Objective.LABELS_AND_BOXES}],
    ids=["plain", "grouped", "boxes"],
)
@pytest.mark.parametrize("each", [3, 8])
def test_a_split_of_crafted_labels_is_the_optimum_in_any_order(
    each: int, options: dict[str, Any]
) -> None:
    entries = list(entries_of(CRAFTED, each))
    selection = split(entries, **options)
    test = chosen(entries, selection)
    certificate = selection.certificate
    assert certificate.deviation == deviation(entries, test, FIFTH)
    best = least_deviation(
        entries, FIFTH, certificate.reached, grouped=options.get("grouped", False)
    )
    assert certificate.optimal
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)
    for seed in range(3):
        shuffled = Random(seed).sample(entries, len(entries))
        assert chosen(shuffled, split(shuffled, **options)) == test


def window_of(sets: list[frozenset[str]], each: int) -> tuple[Window, NDArray[np.uint64]]:
    """A window of so many entries of each set, all open, and the words of their labels."""
    names = tuple(sorted(frozenset().union(*sets)))
    rows = make_rows([{names.index(label): 1 for label in labels} for labels in sets])
    row = np.repeat(np.arange(len(sets)), each)
    key = np.arange(len(row), dtype=np.uint64) << np.uint64(40)
    units = Units(key, key, row, np.ones(len(row), np.int64), rows)
    images = rows.totals(np.full(len(sets), each), len(names))
    words = label_words(names)
    return open_window(units, images, words[: len(names)], FIFTH, len(row) // 5)[0], words


def test_exchanges_within_contexts_that_only_seem_to_be_shared_are_not_made() -> None:
    """The label x of {a, b, x} cannot be exchanged for y of {c, d, y}, though what is left has one word."""
    for (ones, others), seed in product(EQUAL_SUMS, range(20)):
        random = Random(seed)
        plain = [frozenset(random.sample("xyz", 2)) for _ in range(3)]
        sets = [frozenset((*ones, "x")), frozenset((*others, "y")), frozenset(ones), *plain]
        window, words = window_of(sets, 5)
        x = np.array([random.randrange(6) for _ in window.capacity], np.int64)
        better = exchange_while_better(window, words[:-1], x)
        assert window.cost(better) <= window.cost(x)
        assert better.sum() == x.sum()


contents = st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1)
words = st.lists(st.integers(0, 2), min_size=6, max_size=6)


@given(
    rows=st.lists(contents, min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 3), min_size=12, max_size=12),
    words=words,
    seed=st.integers(0, 99),
)
def test_units_share_a_signature_if_and_only_if_rows_and_sizes_are_equal(
    rows: list[dict[int, int]], sizes: list[int], words: list[int], seed: int
) -> None:
    """With words of two bits nearly every sum meets another."""
    random, count = Random(seed), len(rows)
    keys = np.array(random.sample(range(100), count), np.uint64)

    def signatures(order: list[int]) -> list[list[int]]:
        """The units of each signature, named as before they were put in this order."""
        units = Units(
            key=keys[order],
            tie=keys[order],
            row=np.arange(count),
            size=np.array([sizes[unit] for unit in order], np.int64),
            rows=make_rows([rows[unit] for unit in order]),
        )
        found, first = sort_by_signature(units, np.array(words, np.uint64))
        parts = np.split(np.array(order)[found], first[1:])
        return [part.tolist() for part in parts]

    parts = signatures(list(range(count)))
    for part in parts:
        assert len({(str(sorted(rows[unit].items())), sizes[unit]) for unit in part}) == 1
        assert [keys[unit] for unit in part] == sorted(keys[part])
    different = {(str(sorted(rows[unit].items())), sizes[unit]) for unit in range(count)}
    assert len(parts) == len(different)
    assert signatures(random.sample(range(count), count)) == parts
