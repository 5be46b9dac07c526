"""Pairs of labels are counted in bounded time, also for images with many labels."""

import random
import time
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold_verify import label_pairs
from twofold_verify.label_pairs import _count_pairs
from twofold_verify.manifests import Entry

LABEL_SETS = st.lists(st.frozensets(st.sampled_from("abcdefgh")), max_size=30)


def make_entries(label_sets: list[frozenset[str]]) -> list[Entry]:
    return [
        Entry(f"s3://b/{number}", f"s3://b/{number}", labels, frozenset(), number, None)
        for number, labels in enumerate(label_sets)
    ]


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
@given(label_sets=LABEL_SETS, paired=st.frozensets(st.sampled_from("abcdefghij")))
def test_both_ways_of_counting_give_the_number_of_entries_with_both_labels(
    block: int, label_sets: list[frozenset[str]], paired: frozenset[str]
) -> None:
    expected = Counter(
        pair for labels in label_sets for pair in combinations(sorted(labels & paired), 2)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_pairs, "_BLOCK_ENTRIES", block)
        assert _count_pairs(make_entries(label_sets), paired) == expected


def test_images_with_many_labels_take_no_longer_than_all_pairs_of_labels() -> None:
    """Listing the pairs of each image would take 36 million steps here, and more for more images."""
    generator = random.Random(1)
    labels = [f"label {number}" for number in range(400)]
    entries = make_entries([frozenset(generator.sample(labels, 300)) for _ in range(800)])
    began = time.process_time()
    counts = _count_pairs(entries, frozenset(labels))
    assert time.process_time() - began < 2
    assert counts.total() == 800 * 300 * 299 // 2
