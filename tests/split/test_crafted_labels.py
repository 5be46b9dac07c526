"""Label names made to have equal sums of 64-bit hashes: the label sets keep different signatures."""

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

from tests.split.entries import Entry, compute_deviation, select_test_set, split_entries
from tests.split.milp import solve_least_deviation
from tests.support.hash_collisions import EQUAL_SUM_SETS
from twofold.split import Objective
from twofold.split.label_matrix import LabelMatrix, hash_labels, sum_label_hashes
from twofold.split.neighbourhoods import improve_by_exchanges
from twofold.split.sampling import Units, sort_by_signature
from twofold.split.window import Window, open_window

FIFTH = Fraction(1, 5)


def make_label_matrix(contents: list[dict[int, int]]) -> LabelMatrix:
    """A label matrix with a row for each dict of counts by label."""
    return LabelMatrix(
        offsets=np.cumsum([0, *map(len, contents)], dtype=np.int64),
        labels=np.array([label for row in contents for label in sorted(row)], np.int32),
        counts=np.array([row[label] for row in contents for label in sorted(row)], np.int64),
    )


@pytest.mark.parametrize(("first", "second"), EQUAL_SUM_SETS)
def test_the_sets_have_equal_sums(first: tuple[str, str], second: tuple[str, str]) -> None:
    rows = make_label_matrix([{0: 1, 1: 1}, {2: 1, 3: 1}])
    first, second = sum_label_hashes(rows, hash_labels((*first, *second)))
    assert first == second


def make_entries(sets: list[frozenset[str]], each: int) -> Iterator[Entry]:
    """Yield `each` entries of each label set, three to a group."""
    random = Random(7)
    for number, labels in enumerate(sets * each):
        yield Entry(random.getrandbits(63), labels, number // 3, (random.randrange(1, 9), 1, 40))


CRAFTED = [frozenset(side) for pair in EQUAL_SUM_SETS for side in pair]


@pytest.mark.parametrize(
    "options",
    [{}, {"grouped": True}, {"objective": Objective.LABELS_AND_BOXES}],
    ids=["plain", "grouped", "boxes"],
)
@pytest.mark.parametrize("each", [3, 8])
def test_a_split_of_crafted_labels_is_the_optimum_in_any_order(
    each: int, options: dict[str, Any]
) -> None:
    entries = list(make_entries(CRAFTED, each))
    selection = split_entries(entries, **options)
    test = select_test_set(entries, selection)
    certificate = selection.certificate
    assert certificate.deviation == compute_deviation(entries, test, FIFTH)
    best = solve_least_deviation(
        entries, FIFTH, certificate.reached, grouped=options.get("grouped", False)
    )
    assert certificate.optimal
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)
    for seed in range(3):
        shuffled = Random(seed).sample(entries, len(entries))
        assert select_test_set(shuffled, split_entries(shuffled, **options)) == test


def make_window(sets: list[frozenset[str]], each: int) -> tuple[Window, NDArray[np.uint64]]:
    """A window of `each` entries of each label set, all open, and the hashes of the labels."""
    names = tuple(sorted(frozenset().union(*sets)))
    matrix = make_label_matrix([{names.index(label): 1 for label in labels} for labels in sets])
    row = np.repeat(np.arange(len(sets)), each)
    key = np.arange(len(row), dtype=np.uint64) << np.uint64(40)
    units = Units(key, key, row, np.ones(len(row), np.int64), matrix)
    images = matrix.sum_by_label(np.full(len(sets), each), len(names))
    label_hashes = hash_labels(names)
    return open_window(units, images, label_hashes[: len(names)], FIFTH, len(row) // 5)[
        0
    ], label_hashes


def test_no_exchange_is_made_between_contexts_with_equal_hashes_alone() -> None:
    """Label x of {a, b, x} cannot be exchanged for y of {c, d, y}, although the two contexts have equal hashes."""
    for (first, second), seed in product(EQUAL_SUM_SETS, range(20)):
        random = Random(seed)
        plain = [frozenset(random.sample("xyz", 2)) for _ in range(3)]
        sets = [frozenset((*first, "x")), frozenset((*second, "y")), frozenset(first), *plain]
        window, label_hashes = make_window(sets, 5)
        x = np.array([random.randrange(6) for _ in window.capacity], np.int64)
        better = improve_by_exchanges(window, label_hashes[:-1], x)
        assert window.compute_cost(better) <= window.compute_cost(x)
        assert better.sum() == x.sum()


contents = st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1)
label_hashes = st.lists(st.integers(0, 2), min_size=6, max_size=6)


@given(
    rows=st.lists(contents, min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 3), min_size=12, max_size=12),
    label_hashes=label_hashes,
    seed=st.integers(0, 99),
)
def test_units_share_a_signature_if_and_only_if_rows_and_sizes_are_equal(
    rows: list[dict[int, int]], sizes: list[int], label_hashes: list[int], seed: int
) -> None:
    """With label hashes of two bits nearly all sums collide."""
    random, count = Random(seed), len(rows)
    keys = np.array(random.sample(range(100), count), np.uint64)

    def list_signatures(order: list[int]) -> list[list[int]]:
        """The units of each signature, by number before reordering."""
        units = Units(
            key=keys[order],
            source=keys[order],
            row=np.arange(count),
            size=np.array([sizes[unit] for unit in order], np.int64),
            matrix=make_label_matrix([rows[unit] for unit in order]),
        )
        by_signature, first = sort_by_signature(units, np.array(label_hashes, np.uint64))
        parts = np.split(np.array(order)[by_signature], first[1:])
        return [part.tolist() for part in parts]

    parts = list_signatures(list(range(count)))
    for part in parts:
        assert len({(str(sorted(rows[unit].items())), sizes[unit]) for unit in part}) == 1
        assert [keys[unit] for unit in part] == sorted(keys[part])
    different = {(str(sorted(rows[unit].items())), sizes[unit]) for unit in range(count)}
    assert len(parts) == len(different)
    assert list_signatures(random.sample(range(count), count)) == parts
