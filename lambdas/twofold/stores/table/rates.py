"""Calls counted second by second, where a quota limits them."""

from twofold.settings import Partition
from twofold.stores.table.connection import Table

_KEPT_SECONDS = 3_600


def count_call(table: Table, operation: str, second: int) -> int:
    """Counts one call more of an operation in a second (of the epoch), and answers with how many there have been."""
    return table.count(
        Partition.CALLS.value, f"{operation}#{second}", expires=second + _KEPT_SECONDS
    )
