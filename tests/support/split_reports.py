"""Reports of small splits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from twofold.split import LabelSets, select_test_entries


def build_report(images: Mapping[str, int]) -> dict[str, Any]:
    """Return the report of a split of images with one label each, by the number of images of each label."""
    counts = list(images.values())
    size = sum(counts)
    selection = select_test_entries(
        source=np.arange(size, dtype=np.uint64),
        label_set=np.repeat(np.arange(len(counts), dtype=np.uint32), counts),
        label_sets=LabelSets(
            offsets=np.arange(len(counts) + 1, dtype=np.int64),
            labels=np.arange(len(counts), dtype=np.uint32),
            names=tuple(images),
        ),
    )
    return selection.build_report() | {"source": {"errorEntries": 0}}
