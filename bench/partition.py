"""The result of a splitter: the part of each entry."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Parts = NDArray[np.uint8]
"""The part of each entry, by its place in the shares of the division."""


class NotAPartitionError(Exception):
    """The result of a splitter is not a split of the entries."""


def number_parts(count: int, parts: Iterable[Iterable[int]]) -> Parts:
    """The part of each entry. Raises NotAPartitionError unless every entry is in exactly one part."""
    rows = [np.fromiter(part, np.int64) for part in parts]
    if not np.array_equal(np.sort(np.concatenate(rows)), np.arange(count)):
        raise NotAPartitionError("Not every entry is in exactly one part.")
    numbers = np.zeros(count, dtype=np.uint8)
    for number, part in enumerate(rows):
        numbers[part] = number
    return numbers
