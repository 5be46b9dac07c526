"""Distinct texts with equal XXH3 hashes stay distinct in any order, and all other texts keep their hashes."""

from hashlib import blake2b
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hash_collisions import make_colliding_texts
from twofold.errors import DamagedObjectError
from twofold.manifest.grouping.group_table import GroupTableBuilder, join_groups
from twofold.manifest.index.hash_collisions import (
    find_first_occurrences,
    find_repeated,
    iterate_runs,
    make_line_reader,
    match_identities,
    read_identities,
    separate_hashes,
    stack_identities,
)
from twofold.manifest.index.source_hashes import (
    compute_identity,
    compute_source_identity,
    hash_source_ref,
)

texts = st.lists(st.sampled_from("abcdefgh"), max_size=12)


def test_texts_that_meet_in_64_and_in_128_bits_can_be_made_by_anybody() -> None:
    assert len(set(map(hash_source_ref, make_colliding_texts(200)))) == 1
    assert len(set(map(compute_identity, make_colliding_texts(200)))) == 200


def test_an_image_is_the_same_with_both_spellings_of_the_scheme() -> None:
    assert (
        compute_source_identity("S3://b/k")
        == compute_source_identity("s3://b/k")
        != compute_source_identity("s3://b/K")
    )


@given(texts)
def test_the_first_of_each_is_found(letters: list[str]) -> None:
    firsts = find_first_occurrences(stack_identities(map(compute_identity, letters)))
    assert firsts.tolist() == [letters.index(letter) for letter in letters]


@given(texts, texts)
def test_membership_is_exact(known: list[str], wanted: list[str]) -> None:
    is_known = match_identities(
        *(stack_identities(map(compute_identity, group)) for group in (known, wanted))
    )
    assert is_known.tolist() == [text in known for text in wanted]


def test_membership_needs_both_halves_also_where_many_have_one() -> None:
    known = np.array([[7, 1], [7, 2], [7, 9], [8, 1]], np.uint64)
    wanted = np.array([[7, 9], [7, 3], [8, 1], [9, 1], [7, 1]], np.uint64)
    assert match_identities(known, wanted).tolist() == [True, False, True, False, True]


def test_hashes_that_nobody_shares_stay_and_the_others_are_salted_identities() -> None:
    hashes = np.array([7, 5, 7, 9], np.uint64)
    names = [compute_identity("a"), compute_identity("b")]
    words = separate_hashes(hashes, np.array([0, 2]), stack_identities(names))
    expected = [
        int.from_bytes(blake2b(name, digest_size=8, salt=(1).to_bytes(16)).digest())
        for name in names
    ]
    assert words.tolist() == [expected[0], 5, expected[1], 9]
    assert hashes.tolist() == [7, 5, 7, 9]
    again = separate_hashes(
        np.array([7, expected[0], 7], np.uint64), np.array([0, 2]), stack_identities(names)
    )
    assert again[0] == int.from_bytes(
        blake2b(names[0], digest_size=8, salt=(2).to_bytes(16)).digest()
    )
    assert not find_repeated(again).size


def test_groups_whose_keys_meet_stay_two_whatever_the_cut_and_the_order() -> None:
    keys = [*make_colliding_texts(5, "group "), "other", "third"] * 4
    Random(1).shuffle(keys)
    words = {}
    for cut in (0, 3, len(keys)):
        parts = []
        for part in (keys[:cut], keys[cut:]):
            builder = GroupTableBuilder()
            for key in part:
                builder.add_line(key)
            parts.append(builder.build())
        groups = join_groups(parts).tolist()
        words[cut] = dict(zip(keys, groups, strict=True))
        assert [words[cut][key] for key in keys] == groups
    assert words[0] == words[3] == words[len(keys)]
    assert len(set(words[0].values())) == 7
    assert words[0]["other"] == hash_source_ref("other")[0]


def test_a_group_of_dropped_lines_alone_changes_nothing() -> None:
    first, second = make_colliding_texts(2)
    builder = GroupTableBuilder()
    for key in (first, second, "x", None, first):
        builder.add_line(key)
    mask = np.array([True, False, True, False, True])
    assert join_groups([builder.build()], mask).tolist() == [
        hash_source_ref(key)[0] for key in (first, "x", first)
    ]


def test_lines_near_to_each_other_are_read_at_once() -> None:
    start = np.array([0, 10, 100, 110, 120], np.uint64)
    length = np.full(5, 9, np.uint32)
    assert list(iterate_runs(start, length, 5, 1000)) == [(0, 2), (2, 5)]
    assert list(iterate_runs(start, length, 5, 15)) == [(0, 2), (2, 4), (4, 5)]
    assert list(iterate_runs(start[:0], length[:0], 5, 15)) == []


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"source-ref":7}'])
def test_a_line_that_is_no_entry_any_more_is_damage(line: bytes) -> None:
    at, size = np.zeros(1, np.uint64), np.array([len(line)], np.uint32)
    with pytest.raises(DamagedObjectError):
        read_identities(make_line_reader(line)(at, size))
