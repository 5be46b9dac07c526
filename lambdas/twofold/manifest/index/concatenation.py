"""Concatenate the indexes of several manifests, in the order of their entries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import LabelSets, find_distinct_sets
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.numbering import Numbering


def concatenate_indexes(indexes: Sequence[DatasetIndex]) -> DatasetIndex:
    """Return the index of the manifests as one manifest. Labels are numbered in order of the manifests; equal label sets, which
    the manifests may share, become one set."""
    if len(indexes) == 1:
        return indexes[0]
    numbering = Numbering()
    sets = _concatenate_sets(indexes, numbering)
    set_number, distinct_sets = find_distinct_sets(sets)
    # The sets of an index follow those of the indexes before it.
    first_sets = np.cumsum([0, *(index.set_offsets.size - 1 for index in indexes)]).tolist()
    label_set = [
        set_number[first + index.label_set]
        for first, index in zip(first_sets[:-1], indexes, strict=True)
    ]
    # An index of an early release has no file names; then the result has none.
    has_file_names = all(index.file_name.size == len(index) for index in indexes)
    has_codes = any(index.codes.size for index in indexes)
    has_boxes = any(index.boxes.size for index in indexes)
    return DatasetIndex(
        length=np.concatenate([index.length for index in indexes]),
        source=np.concatenate([index.source for index in indexes]),
        file_name=np.concatenate([index.file_name for index in indexes])
        if has_file_names
        else np.empty(0, np.uint32),
        label_set=np.concatenate(label_set),
        flags=np.concatenate([index.flags for index in indexes]),
        codes=np.concatenate([index.fill_codes() for index in indexes])
        if has_codes
        else np.empty(0, np.uint16),
        boxes=np.concatenate([index.fill_boxes() for index in indexes])
        if has_boxes
        else np.empty(0, np.uint8),
        set_offsets=distinct_sets.offsets.astype(np.uint32),
        set_labels=distinct_sets.labels,
        names=tuple(numbering),
    )


def _concatenate_sets(indexes: Sequence[DatasetIndex], numbering: dict[Any, int]) -> LabelSets:
    """Return the label sets of all indexes, with the labels numbered by `numbering`."""
    offsets, labels, labels_before = [np.zeros(1, np.int64)], [np.empty(0, np.uint32)], 0
    for index in indexes:
        numbers: NDArray[np.uint32] = np.array([numbering[name] for name in index.names], np.uint32)
        labels.append(numbers[index.set_labels])
        offsets.append(index.set_offsets[1:].astype(np.int64) + labels_before)
        labels_before += index.set_labels.size
    return LabelSets(np.concatenate(offsets), np.concatenate(labels))
