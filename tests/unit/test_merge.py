"""The index of a merge is the index of the merged manifest."""

import json
from itertools import accumulate
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twofold.manifest.identity import reading
from twofold.manifest.index import Index, label_table
from twofold.manifest.merge import APPENDED, candidates, merge
from twofold.manifest.pieces import index_lines
from twofold.manifest.resolve import resolve

NAMES = ["ant", "bee", "cat", "dog"]

any_labels = st.lists(st.sampled_from(NAMES), max_size=3)
any_kind = st.sampled_from(["plain", "boxes", "error"])
any_dataset = st.dictionaries(st.integers(0, 20), st.tuples(any_kind, any_labels), max_size=12)


def line(image: int, kind: str, labels: list[str]) -> bytes:
    entry: dict[str, Any] = {"source-ref": f"s3://b/{image}"}
    provenance = {"human-annotated": "yes", "creation-date": "2024-01-02T03:04:05"}
    if kind == "error":
        entry["lone"] = 1
    if kind == "boxes":
        size = {"width": 500, "height": 500, "depth": 3}
        box = {"left": 1, "top": 1, "width": 9, "height": 9}
        classes = [{"class_id": NAMES.index(name), **box} for name in labels]
        entry["k"] = {"image_size": [size], "annotations": classes}
        entry["k-metadata"] = {
            "objects": [{"confidence": 1}] * len(labels),
            "class-map": {str(number): name for number, name in enumerate(NAMES)},
            "type": "groundtruth/object-detection",
            **provenance,
        }
    if kind == "plain":
        for number, name in enumerate(labels):
            entry[f"k{number}"] = 1
            entry[f"k{number}-metadata"] = {
                "class-name": name,
                "confidence": 1,
                "type": "groundtruth/image-classification",
                **provenance,
            }
    return json.dumps(entry).encode()


def index_of(lines: list[bytes]) -> Index:
    starts = [0, *accumulate(len(one) + 1 for one in lines)][: len(lines)]
    if not lines:
        return Index.empty()
    text = b"".join(one + b"\n" for one in lines)
    return resolve([index_lines(zip(starts, lines, strict=True))], reading(text)).index


def sets_by_name(index: Index) -> list[list[str]]:
    offsets, members = index.set_offsets.tolist(), index.set_labels.tolist()
    return [
        [index.names[member] for member in members[offsets[one] : offsets[one + 1]]]
        for one in index.label_set.tolist()
    ]


@given(old=any_dataset, new=any_dataset.filter(bool))
def test_a_merged_index_says_what_the_merged_manifest_says(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    before = {image: line(image, *labels) for image, labels in old.items()}
    changed = {image: line(image, *labels) for image, labels in new.items()}
    images = list(before)
    replaced = [images.index(image) if image in before else APPENDED for image in changed]
    old_index, changes = index_of(list(before.values())), index_of(list(changed.values()))
    merged = merge(old_index, changes, np.array(replaced, np.int64))
    expected = index_of(list({**before, **changed}.values()))
    found = merged.index
    for column in ("length", "source", "flags", "boxes"):
        assert getattr(found, column).tolist() == getattr(expected, column).tolist(), column
    assert sets_by_name(found) == sets_by_name(expected)
    assert label_table(found) == label_table(expected)
    assert found.stats() == expected.stats()
    assert len(found.names) == found.stats().total_labels


@given(old=any_dataset.filter(bool), new=any_dataset.filter(bool))
def test_labels_stay_in_the_order_in_which_they_were_first_seen(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    old_index = index_of([line(image, *labels) for image, labels in old.items()])
    changes = index_of([line(100 + image, *labels) for image, labels in new.items()])
    merged = merge(old_index, changes, np.full(len(changes), APPENDED)).index
    assert list(merged.names) == list(dict.fromkeys([*old_index.names, *changes.names]))


@given(old=any_dataset, new=any_dataset.filter(bool))
def test_candidates_are_the_entries_with_a_hash_of_the_changes(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    old_index = index_of([line(image, *labels) for image, labels in old.items()])
    changes = index_of([line(image, *labels) for image, labels in new.items()])
    found = candidates(old_index, changes.source).tolist()
    assert found == [number for number, image in enumerate(old) if image in new]


def test_label_sets_that_nothing_has_any_more_are_dropped() -> None:
    old = index_of([line(0, "plain", ["ant", "bee"]), line(1, "plain", ["cat"])])
    changes = index_of([line(0, "plain", ["cat"])])
    merged = merge(old, changes, np.array([0], np.int64)).index
    assert merged.names == ("cat",)
    assert sets_by_name(merged) == [["cat"], ["cat"]]
    assert merged.set_labels.max() == 0
