"""Which of many rows of labels are the same."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.label_rows import label_rows
from twofold.manifest import label_sets
from twofold.manifest.label_sets import distinct_rows

rows = st.lists(st.lists(st.integers(0, 5), max_size=4).map(tuple), max_size=30)


def numbered(sets: list[tuple[int, ...]]) -> tuple[list[int], list[tuple[int, ...]]]:
    number, (offsets, labels) = distinct_rows(label_rows(sets))
    bounds = offsets.tolist()
    found = [tuple(labels[a:b].tolist()) for a, b in pairwise(bounds)]
    return number.tolist(), found


@settings(deadline=None)
@given(rows)
def test_distinct_rows_are_numbered_as_first_seen(sets: list[tuple[int, ...]]) -> None:
    expected = list(dict.fromkeys(sets))
    number, found = numbered(sets)
    assert found == expected
    assert [found[one] for one in number] == sets


def test_rows_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = label_sets._hashes
    salts = []

    def colliding(sets: label_sets.LabelSets, salt: int) -> NDArray[np.uint64]:
        salts.append(salt)
        return hashes(sets, salt) if salt > 2 else hashes(sets, salt) * np.uint64(0)

    monkeypatch.setattr(label_sets, "_hashes", colliding)
    sets = [(1, 2), (2, 1), (), (1, 2), (3,)]
    assert numbered(sets) == ([0, 1, 2, 0, 3], [(1, 2), (2, 1), (), (3,)])
    assert salts == [1, 2, 3]
