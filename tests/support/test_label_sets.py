"""Equal label sets get the same number."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.label_sets import make_label_sets
from twofold import label_sets
from twofold.label_sets import LabelSets, find_distinct_sets

any_sets = st.lists(st.lists(st.integers(0, 5), max_size=4).map(tuple), max_size=30)


def number_sets(sets: list[tuple[int, ...]]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return the number of each set, and the distinct sets."""
    number, distinct = find_distinct_sets(make_label_sets(sets))
    labels = distinct.labels
    spans = pairwise(distinct.offsets.tolist())
    return number.tolist(), [tuple(labels[first:last].tolist()) for first, last in spans]


@settings(deadline=None)
@given(any_sets)
def test_distinct_sets_are_numbered_in_order_of_appearance(sets: list[tuple[int, ...]]) -> None:
    expected = list(dict.fromkeys(sets))
    numbers, distinct = number_sets(sets)
    assert distinct == expected
    assert [distinct[number] for number in numbers] == sets


def test_different_sets_with_equal_hashes_get_different_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hash_sets = label_sets._hash_sets
    salts = []

    def collide(sets: LabelSets, salt: int) -> NDArray[np.uint64]:
        salts.append(salt)
        return hash_sets(sets, salt) if salt > 2 else hash_sets(sets, salt) * np.uint64(0)

    monkeypatch.setattr(label_sets, "_hash_sets", collide)
    sets = [(1, 2), (2, 1), (), (1, 2), (3,)]
    assert number_sets(sets) == ([0, 1, 2, 0, 3], [(1, 2), (2, 1), (), (3,)])
    assert salts == [1, 2, 3]
