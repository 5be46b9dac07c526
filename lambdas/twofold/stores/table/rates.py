"""Calls counted second by second, where a quota or the deployment limits them."""

from twofold.settings import Partition
from twofold.stores.table.connection import Table

_KEPT_SECONDS = 3_600


def count_call(table: Table, counter: str, second: int) -> int:
    """Adds a call to a counter, an operation or a caller, in a second (of the epoch); returns how many there are."""
    return table.count(Partition.CALLS.value, f"{counter}#{second}", expires=second + _KEPT_SECONDS)
