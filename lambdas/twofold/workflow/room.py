"""How large a job the functions hold that see all of a dataset at once: Resolve, Select and Merge.

The numbers are more than `python -m bench.memory` measures (docs/performance.md), and a test holds them to it.
"""

from dataclasses import dataclass
from typing import Any

from twofold.errors import OperationRefused
from twofold.manifest.index import Index

BASE_BYTES = 200 << 20
BYTES_PER_ENTRY = 88
BYTES_PER_BOX_COUNT = 4
BYTES_PER_SET_LABEL = 20
BYTES_PER_GROUPED_LABEL = 32
USUAL_BOX_COUNTS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What takes memory: entries; their numbers of boxes, one for each label of an entry; the labels of distinct label sets;
    and where groups stay whole, the labels of all entries."""

    entries: int
    box_counts: int = 0
    set_labels: int = 0
    grouped_labels: int = 0

    @classmethod
    def of(cls, index: Index, *, grouped: bool = False) -> "Load":
        labels = index.label_count() if grouped else 0
        return cls(len(index), index.boxes.size, index.set_labels.size, labels)

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.entries + other.entries,
            self.box_counts + other.box_counts,
            self.set_labels + other.set_labels,
            self.grouped_labels + other.grouped_labels,
        )

    @property
    def bytes(self) -> int:
        """Beside BASE_BYTES."""
        return (
            self.entries * BYTES_PER_ENTRY
            + self.box_counts * BYTES_PER_BOX_COUNT
            + self.set_labels * BYTES_PER_SET_LABEL
            + self.grouped_labels * BYTES_PER_GROUPED_LABEL
        )


def room_in(context: Any) -> int:
    """Bytes for a load, by the memory of the function that Lambda's context is of."""
    return room_of(int(context.memory_limit_in_mb))


def room_of(memory_mb: int) -> int:
    return (memory_mb << 20) - BASE_BYTES


def entries_in(memory_mb: int) -> int:
    """With some labels an entry, in label sets that many have."""
    return room_of(memory_mb) // Load(1, box_counts=USUAL_BOX_COUNTS).bytes


def require_room(load: Load, room: int | None) -> None:
    """Raises OperationRefused, which is better than to be killed on the way."""
    if room is not None and load.bytes > room:
        fit = max(room, 0) * load.entries // load.bytes
        raise OperationRefused(
            f"The dataset has {load.entries:,} entries or more; this deployment has memory for {fit:,} like them. "
            "Deploy it with a larger solver_memory_mb."
        )
