"""Answers to calls that change something, kept for the repetition of the call by a client that lost its answer.

An answer is written in the transaction of the change itself, under a key that the repetition has too, so that a change is
made once however often, and however simultaneously, it is asked for. Where a change is taken back, its answer goes in the same
transaction, unless a repetition has been given it: then the change stays.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Partition
from twofold.stores.table.connection import Table

KEPT_SECONDS = 7_200
_ANSWER = "answer"


def key(caller: str, operation: str, invocation: str, body: bytes) -> str:
    """Of a call; the same invocation id with another body, or from another caller, is another call."""
    parts = (caller.encode(), operation.encode(), invocation.encode(), body)
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


def keeping(table: Table, call: str, answer: Mapping[str, Any], now: int) -> Table:
    """The table, for the transaction that makes the change: it raises RepeatedError if the call has been answered."""
    item = {
        PARTITION_KEY: _partition(call),
        SORT_KEY: _ANSWER,
        "Answer": json.dumps(answer),
        TIME_TO_LIVE: now // 1000 + KEPT_SECONDS,
    }
    return table.joined_by(table.put(item))


def taking_back(table: Table, call: str) -> Table:
    """The table, for the transaction that undoes the change: it raises RepeatedError if the answer has been given again."""
    condition = "attribute_exists(#pk) AND attribute_not_exists(#Given)"
    return table.joined_by(table.delete(_partition(call), _ANSWER, condition=condition))


def given_again(table: Table, call: str) -> dict[str, Any] | None:
    """The answer to a call that has made its change; None if there is none."""
    item = table.mark(_partition(call), _ANSWER, "Given")
    if item is None:
        return None
    answer: dict[str, Any] = json.loads(item["Answer"])
    return answer


def _partition(call: str) -> str:
    return f"{Partition.ANSWER}{call}"
