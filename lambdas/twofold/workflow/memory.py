"""Memory for a dataset in the functions that hold a whole index: Resolve, Select and Merge.

The constants are upper bounds of the measurements of `python -m bench memory` (docs/performance.md); checked by a test.
"""

from dataclasses import dataclass
from typing import Any

from twofold.errors import OperationRefused
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.split import PAIRED_LABELS

BASE_BYTES = 200 << 20
BYTES_PER_ENTRY = 88
BYTES_PER_BOX_COUNT = 4
BYTES_PER_SET_LABEL = 20
BYTES_PER_GROUPED_LABEL = 32
SOLVER_BYTES = 160 << 20
"""Selection: HiGHS at the largest programmes of a split, whose size does not grow with the number of entries."""
BYTES_PER_LABEL = 2_600
"""Selection: columns of integer programmes, and in double swaps of groups a dense row for each of 130 signatures."""
BYTES_PER_PAIR = 40
"""Selection: for each pair of the first PAIRED_LABELS labels, whether an image has both labels or not."""
USUAL_BOX_COUNTS = 3


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """The quantities behind the memory of a job.

    entries            number of entries
    box_counts         numbers of boxes: for each label of each entry
    set_labels         labels of the distinct label sets
    grouped_labels     labels of all entries, if groups stay whole
    selection_labels   labels of the dataset, if a test set is selected
    """

    entries: int
    box_counts: int = 0
    set_labels: int = 0
    grouped_labels: int = 0
    selection_labels: int = 0

    @classmethod
    def from_index(
        cls, index: DatasetIndex, *, selects: bool = False, grouped: bool = False
    ) -> "MemoryEstimate":
        """`selects`: a test set is selected from the entries; `grouped`: in whole groups."""
        grouped_labels = index.count_labels() if grouped else 0
        selection_labels = len(index.names) if selects else 0
        return cls(
            entries=len(index),
            box_counts=index.boxes.size,
            set_labels=index.set_labels.size,
            grouped_labels=grouped_labels,
            selection_labels=selection_labels,
        )

    def __add__(self, other: "MemoryEstimate") -> "MemoryEstimate":
        return MemoryEstimate(
            self.entries + other.entries,
            self.box_counts + other.box_counts,
            self.set_labels + other.set_labels,
            self.grouped_labels + other.grouped_labels,
            self.selection_labels + other.selection_labels,
        )

    @property
    def bytes(self) -> int:
        """Bytes in addition to BASE_BYTES."""
        return (
            self.fixed_bytes
            + self.entries * BYTES_PER_ENTRY
            + self.box_counts * BYTES_PER_BOX_COUNT
            + self.set_labels * BYTES_PER_SET_LABEL
            + self.grouped_labels * BYTES_PER_GROUPED_LABEL
        )

    @property
    def fixed_bytes(self) -> int:
        """The part of `bytes` that does not grow with the number of entries."""
        if not self.selection_labels:
            return 0
        pairs = min(self.selection_labels, PAIRED_LABELS) ** 2
        return SOLVER_BYTES + self.selection_labels * BYTES_PER_LABEL + pairs * BYTES_PER_PAIR


def read_available_bytes(context: Any) -> int:
    """Return the memory for a job in the function of a Lambda context, in bytes."""
    return compute_available_bytes(int(context.memory_limit_in_mb))


def compute_available_bytes(memory_mb: int) -> int:
    return (memory_mb << 20) - BASE_BYTES


def estimate_max_entries(memory_mb: int) -> int:
    """Return of how many entries a test set can be selected, with USUAL_BOX_COUNTS labels each and few distinct label sets."""
    usual_entry = MemoryEstimate(1, box_counts=USUAL_BOX_COUNTS)
    return (compute_available_bytes(memory_mb) - SOLVER_BYTES) // usual_entry.bytes


def require_memory(estimate: MemoryEstimate, available_bytes: int | None) -> None:
    """Raises OperationRefused if the job does not fit, before the function runs out of memory; None is no limit."""
    if available_bytes is not None and estimate.bytes > available_bytes:
        fixed = estimate.fixed_bytes
        max_entries = max(available_bytes - fixed, 0) * estimate.entries // (estimate.bytes - fixed)
        labels = f" and {estimate.selection_labels:,} labels" if estimate.selection_labels else ""
        raise OperationRefused(
            f"The dataset has at least {estimate.entries:,} entries{labels}; this deployment has memory for "
            f"{max_entries:,} such entries. Deploy it with a larger solver_memory_mb."
        )
