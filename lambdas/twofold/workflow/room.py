"""How many entries the functions hold that see all of a dataset at once: Resolve, Select and Merge."""

from typing import Any

from twofold.errors import OperationRefused

BASE_BYTES = 200 << 20
BYTES_PER_ENTRY = 112
"""Measured for Select, with the plan reckoned on top: docs/performance.md."""


def room_in(context: Any) -> int:
    """Entries, by the memory of the function that Lambda's context is of."""
    return entries_in(int(context.memory_limit_in_mb))


def entries_in(memory_mb: int) -> int:
    return ((memory_mb << 20) - BASE_BYTES) // BYTES_PER_ENTRY


def require_room(entries: int, room: int | None) -> None:
    """Raises OperationRefused, which is better than to be killed on the way."""
    if room is not None and entries > room:
        raise OperationRefused(
            f"The dataset has {entries:,} entries or more; this deployment has memory for {room:,}. "
            "Deploy it with a larger solver_memory_mb."
        )
