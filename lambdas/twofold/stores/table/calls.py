"""Items about calls of the API: responses for idempotency, call counts, and the key for signing pagination tokens.

A client repeats a call after a lost response. The transaction of a change also writes the response, under a key shared by all
attempts of the call, so that the change is made once. A transaction that undoes the change deletes the response, unless a
repetition has received it: then the change stays.
"""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from secrets import token_hex
from typing import Any

from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, TablePartition
from twofold.stores.table.connection import Table

RESPONSE_SECONDS = 7_200
"""A response is replayed for this long."""
_COUNTER_SECONDS = 3_600
_RESPONSE_SORT_KEY = "answer"
_PAGINATION_KEY = (TablePartition.SECRET.value, "pagination")
_PAGINATION_KEY_BYTES = 32


def derive_call_key(caller: str, operation: str, invocation: str, body: bytes) -> str:
    """Return the key of a call. Another body or caller makes another call, even with the same invocation id."""
    parts = (caller.encode(), operation.encode(), invocation.encode(), body)
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


def with_idempotent_response(
    table: Table, call: str, response: Mapping[str, Any], now: int
) -> Table:
    """Return a table whose transactions also write the response; RepeatedCallError is raised if the call has a response
    already."""
    item = {
        PARTITION_KEY: _build_response_partition(call),
        SORT_KEY: _RESPONSE_SORT_KEY,
        "Answer": json.dumps(response),
        TIME_TO_LIVE: now // 1000 + RESPONSE_SECONDS,
    }
    return table.add_write(table.build_put(item))


def with_response_removal(table: Table, call: str) -> Table:
    """Return a table whose transactions also delete the response; RepeatedCallError is raised if the response has been
    replayed."""
    condition = "attribute_exists(#pk) AND attribute_not_exists(#Given)"
    partition = _build_response_partition(call)
    return table.add_write(table.build_delete(partition, _RESPONSE_SORT_KEY, condition=condition))


def replay_response(table: Table, call: str) -> dict[str, Any] | None:
    """Return the stored response to a call, and mark the response as replayed; None without a stored response."""
    item = table.set_flag(_build_response_partition(call), _RESPONSE_SORT_KEY, "Given")
    if item is None:
        return None
    response: dict[str, Any] = json.loads(item["Answer"])
    return response


def count_call(table: Table, counter: str, second: int) -> int:
    """Add a call to the counter of an operation or a caller for a second (since the epoch); return the count."""
    expires = second + _COUNTER_SECONDS
    return table.increment_counter(
        TablePartition.CALLS.value, f"{counter}#{second}", expires=expires
    )


def get_pagination_key(table: Table) -> bytes:
    """Return the key for signing pagination tokens; the first caller creates the key. No template or environment contains this
    secret."""
    return _load_pagination_key(table.name)


@cache
def _load_pagination_key(table_name: str) -> bytes:
    """Read the key once for each process. If two processes create a key, both return the key of the winner."""
    table = Table(table_name)
    item = table.get(*_PAGINATION_KEY)
    if not item:
        pk, sk = _PAGINATION_KEY
        new_item = {PARTITION_KEY: pk, SORT_KEY: sk, "Key": token_hex(_PAGINATION_KEY_BYTES)}
        table.try_transact([table.build_put(new_item)])
        item = table.get(*_PAGINATION_KEY)
    if not item:
        raise LookupError("The pagination key disappeared from the table while it was read.")
    return bytes.fromhex(item["Key"])


def _build_response_partition(call: str) -> str:
    return f"{TablePartition.ANSWER}{call}"
