"""Units by signature, and allocations: how many units of each signature are in each part.

Of each signature the units with the lowest keys are in the last part, the next ones in the part before it, and so on; the
first part has the highest keys. So the test part of `train, val, test` has the lowest keys, as in a split into two.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.label_matrix import LabelMatrix
from twofold.split.sampling import Units, sort_by_signature


@dataclass(frozen=True)
class SignatureTable:
    """The units of signature `s` are `order[start[s]:start[s + 1]]`, lowest key first.

    `matrix` has a row and `size` the entries of a unit for each signature. An allocation is int64[signatures, parts].
    """

    units: Units
    order: Ints
    start: Ints
    matrix: LabelMatrix
    size: Ints

    @classmethod
    def build(cls, units: Units, label_hashes: NDArray[np.uint64]) -> "SignatureTable":
        order, first = sort_by_signature(units, label_hashes)
        lead = order[first]
        start = np.append(first, len(order)).astype(np.int64)
        matrix = units.matrix.take_rows(units.row[lead])
        return cls(units, order, start, matrix, units.size[lead].astype(np.int64))

    @property
    def capacity(self) -> Ints:
        return np.diff(self.start)

    @cached_property
    def signature(self) -> Ints:
        """The signature of each unit, in the order of `order`."""
        return np.repeat(np.arange(len(self.size), dtype=np.int64), self.capacity)

    def count_units(self, part: Ints, part_count: int) -> Ints:
        """The allocation of a division: `part` has the part of each unit."""
        cells = self.signature * part_count + part[self.order]
        counts = np.bincount(cells, minlength=len(self.size) * part_count)
        return counts.reshape(len(self.size), part_count)

    def assign_parts(self, x: Ints) -> NDArray[np.uint8]:
        """The part of each unit under the allocation `x`."""
        part_count = x.shape[1]
        descending = np.arange(part_count - 1, -1, -1, dtype=np.uint8)
        part = np.empty(len(self.order), dtype=np.uint8)
        part[self.order] = np.repeat(np.tile(descending, len(x)), x[:, ::-1].ravel())
        return part

    def count_images(self, x: Ints, label_count: int) -> Ints:
        """Images of each part (row) and label (column)."""
        return np.stack([self.matrix.sum_by_label(column, label_count) for column in x.T])

    def count_entries(self, x: Ints) -> Ints:
        """Entries of each part."""
        entries: Ints = self.size @ x
        return entries
