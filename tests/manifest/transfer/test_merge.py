"""The index of a merge equals the index of the merged manifest."""

import json
from itertools import accumulate
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.label_sets import tabulate_labels
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.transfer.merge import APPENDED, find_candidates, merge_indexes

NAMES = ["ant", "bee", "cat", "dog"]

any_labels = st.lists(st.sampled_from(NAMES), max_size=3)
any_kind = st.sampled_from(["plain", "boxes", "error"])
any_dataset = st.dictionaries(st.integers(0, 20), st.tuples(any_kind, any_labels), max_size=12)


def make_line(image: int, kind: str, labels: list[str]) -> bytes:
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


def build_index(lines: list[bytes]) -> DatasetIndex:
    starts = [0, *accumulate(len(line) + 1 for line in lines)][: len(lines)]
    if not lines:
        return DatasetIndex.make_empty()
    text = b"".join(line + b"\n" for line in lines)
    return join_ranges([index_lines(zip(starts, lines, strict=True))], make_line_reader(text)).index


def list_sets(index: DatasetIndex) -> list[list[str]]:
    offsets, members = index.set_offsets.tolist(), index.set_labels.tolist()
    return [
        [index.names[member] for member in members[offsets[number] : offsets[number + 1]]]
        for number in index.label_set.tolist()
    ]


@given(old=any_dataset, new=any_dataset.filter(bool))
def test_a_merged_index_says_what_the_merged_manifest_says(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    before = {image: make_line(image, *labels) for image, labels in old.items()}
    changed = {image: make_line(image, *labels) for image, labels in new.items()}
    images = list(before)
    replaced = [images.index(image) if image in before else APPENDED for image in changed]
    old_index, changes = build_index(list(before.values())), build_index(list(changed.values()))
    merged = merge_indexes(old_index, changes, np.array(replaced, np.int64))
    expected = build_index(list({**before, **changed}.values()))
    index = merged.index
    for column in ("length", "source", "flags", "boxes"):
        assert getattr(index, column).tolist() == getattr(expected, column).tolist(), column
    assert list_sets(index) == list_sets(expected)
    assert tabulate_labels(index) == tabulate_labels(expected)
    assert index.compute_stats() == expected.compute_stats()
    assert len(index.names) == index.compute_stats().total_labels


@given(old=any_dataset.filter(bool), new=any_dataset.filter(bool))
def test_labels_stay_in_the_order_in_which_they_were_first_seen(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    old_index = build_index([make_line(image, *labels) for image, labels in old.items()])
    changes = build_index([make_line(100 + image, *labels) for image, labels in new.items()])
    merged = merge_indexes(old_index, changes, np.full(len(changes), APPENDED)).index
    assert list(merged.names) == list(dict.fromkeys([*old_index.names, *changes.names]))


@given(old=any_dataset, new=any_dataset.filter(bool))
def test_candidates_are_the_entries_with_a_hash_of_the_changes(
    old: dict[int, tuple[str, list[str]]], new: dict[int, tuple[str, list[str]]]
) -> None:
    old_index = build_index([make_line(image, *labels) for image, labels in old.items()])
    changes = build_index([make_line(image, *labels) for image, labels in new.items()])
    candidates = find_candidates(old_index, changes.source).tolist()
    assert candidates == [number for number, image in enumerate(old) if image in new]


def test_label_sets_that_nothing_has_any_more_are_dropped() -> None:
    old = build_index([make_line(0, "plain", ["ant", "bee"]), make_line(1, "plain", ["cat"])])
    changes = build_index([make_line(0, "plain", ["cat"])])
    merged = merge_indexes(old, changes, np.array([0], np.int64)).index
    assert merged.names == ("cat",)
    assert list_sets(merged) == [["cat"], ["cat"]]
    assert merged.set_labels.max() == 0
