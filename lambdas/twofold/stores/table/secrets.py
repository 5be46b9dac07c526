"""The deployment's own secret: made once, in the table, by whoever needs it first. It is in no template and no environment."""

from contextlib import suppress
from functools import cache
from secrets import token_hex

from twofold.settings import PARTITION_KEY, SORT_KEY, Partition
from twofold.stores.table.connection import ConditionFailedError, Table

_PLACE = (Partition.SECRET.value, "pagination")
_BYTES = 32


def pagination_key(table: Table) -> bytes:
    return _pagination_key(table.name)


@cache
def _pagination_key(name: str) -> bytes:
    """Of a table; read once for each process. Where two make it at once, one is kept and both have it."""
    table = Table(name)
    found = table.get(*_PLACE)
    if not found:
        pk, sk = _PLACE
        made = table.put({PARTITION_KEY: pk, SORT_KEY: sk, "Key": token_hex(_BYTES)})
        with suppress(ConditionFailedError):
            table.transact([made])
        found = table.get(*_PLACE)
    if not found:
        raise LookupError("The table has lost its pagination key while it was read.")
    return bytes.fromhex(found["Key"])
