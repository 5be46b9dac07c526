"""What is tested or not as a whole: an entry, or a group of entries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.split.keys import entry_keys
from twofold.split.rows import Ints, Rows


@dataclass(frozen=True, slots=True)
class Units:
    """For each unit its key, what breaks ties of keys, its row of label counts and its entries."""

    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    row: Ints
    size: Ints
    rows: Rows

    def __len__(self) -> int:
        return len(self.key)


def entries_as_units(
    source: NDArray[np.uint64], label_set: NDArray[np.uint32], rows: Rows, seed: int
) -> Units:
    ones = np.broadcast_to(np.int64(1), source.shape)
    return Units(entry_keys(source, seed), source, label_set.astype(np.int64), ones, rows)
