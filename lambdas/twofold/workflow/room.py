"""How large a job the functions hold that see all of a dataset at once: Resolve, Select and Merge.

The numbers are more than `python -m bench.memory` measures (docs/performance.md), and a test holds them to it.
"""

from dataclasses import dataclass
from typing import Any

from twofold.errors import OperationRefused
from twofold.manifest.index import Index
from twofold.split import PAIRED_LABELS

BASE_BYTES = 200 << 20
BYTES_PER_ENTRY = 88
BYTES_PER_BOX_COUNT = 4
BYTES_PER_SET_LABEL = 20
BYTES_PER_GROUPED_LABEL = 32
BYTES_PER_LABEL = 2_600
"""Of a choice: programmes have columns for each label, double swaps of groups a dense row for each of 130 kinds."""
BYTES_PER_PAIR = 40
"""Of a choice, for each pair of the first PAIRED_LABELS labels, whether it occurs or not."""
USUAL_BOX_COUNTS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What takes memory: entries; their numbers of boxes, one for each label of an entry; the labels of distinct label sets;
    where groups stay whole, the labels of all entries; and where a choice is made, the labels of the dataset."""

    entries: int
    box_counts: int = 0
    set_labels: int = 0
    grouped_labels: int = 0
    chosen_labels: int = 0

    @classmethod
    def of(cls, index: Index, *, chosen: bool = False, grouped: bool = False) -> "Load":
        """`chosen`: test entries are chosen among the entries, `grouped` in whole groups."""
        labels = index.label_count() if grouped else 0
        names = len(index.names) if chosen else 0
        return cls(len(index), index.boxes.size, index.set_labels.size, labels, names)

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.entries + other.entries,
            self.box_counts + other.box_counts,
            self.set_labels + other.set_labels,
            self.grouped_labels + other.grouped_labels,
            self.chosen_labels + other.chosen_labels,
        )

    @property
    def bytes(self) -> int:
        """Beside BASE_BYTES."""
        return (
            self.entries * BYTES_PER_ENTRY
            + self.box_counts * BYTES_PER_BOX_COUNT
            + self.set_labels * BYTES_PER_SET_LABEL
            + self.grouped_labels * BYTES_PER_GROUPED_LABEL
            + self.chosen_labels * BYTES_PER_LABEL
            + min(self.chosen_labels, PAIRED_LABELS) ** 2 * BYTES_PER_PAIR
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
        labels = f" and {load.chosen_labels:,} labels" if load.chosen_labels else ""
        raise OperationRefused(
            f"The dataset has {load.entries:,} entries or more{labels}; this deployment has memory for {fit:,} like them. "
            "Deploy it with a larger solver_memory_mb."
        )
