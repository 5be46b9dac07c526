"""Label sets for tests, and label counts of an index."""

from collections.abc import Mapping, Sequence

import numpy as np

from twofold.label_sets import LabelSets, compute_offsets
from twofold.manifest.index.dataset_index import DatasetIndex


def make_label_sets(sets: Sequence[tuple[int, ...]]) -> LabelSets:
    """Return label sets given as tuples of label numbers."""
    labels = [label for label_set in sets for label in label_set]
    lengths = np.array([len(label_set) for label_set in sets], np.int64)
    return LabelSets(compute_offsets(lengths), np.array(labels, np.uint32))


def tabulate_labels(index: DatasetIndex) -> Mapping[str, tuple[int, int]]:
    """Return (entries, boxes) of each label that occurs, in order of first appearance."""
    entries, boxes = index.count_entries_by_label(), index.count_boxes_by_label()
    return {
        name: (int(entries[i]), int(boxes[i])) for i, name in enumerate(index.names) if entries[i]
    }
