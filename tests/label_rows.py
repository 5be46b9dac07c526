"""Label sets for tests, from tuples."""

from collections.abc import Sequence

import numpy as np

from twofold.manifest.label_sets import LabelSets, offsets_of


def label_rows(sets: Sequence[tuple[int, ...]]) -> LabelSets:
    """Of label sets given as tuples of label numbers."""
    flat = [label for one in sets for label in one]
    return offsets_of(np.array([len(one) for one in sets], np.int64)), np.array(flat, np.uint32)
