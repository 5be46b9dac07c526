"""Read items, and write in transactions that succeed or fail as a whole."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Service
from twofold.stores.clients import create_client
from twofold.stores.table.items import (
    Item,
    decode_item,
    encode_expressions,
    encode_item,
    encode_key,
)

Write = dict[str, Any]
"""An element of TransactItems."""

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=16,
)
_RETRYABLE_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
"""Temporary reasons of a cancelled transaction. SDKs never retry a cancelled transaction themselves."""

_TRANSACTION_ATTEMPTS = 6
_TRANSACTION_PAUSE_SECONDS = 0.02
_BATCH_ITEMS = 100


@cache
def get_client() -> Any:
    return create_client(Service.DYNAMODB, _CONFIG)


class ConditionFailedError(Exception):
    """Conditions of a transaction failed; `failed` has the positions of the writes."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"The conditions of the writes {list(failed)} failed.")
        self.failed = tuple(failed)


class RepeatedCallError(Exception):
    """The condition of an extra write failed: an earlier attempt of the same call has succeeded."""


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a stage. Every transaction includes the `extra_writes`."""

    name: str
    extra_writes: tuple[Write, ...] = ()

    def add_write(self, write: Write) -> "Table":
        """Return a table with the write in all transactions."""
        return replace(self, extra_writes=(*self.extra_writes, write))

    def get(self, pk: str, sk: str) -> Item | None:
        response = get_client().get_item(
            TableName=self.name, Key=encode_key(pk, sk), ConsistentRead=True
        )
        return decode_item(response["Item"]) if "Item" in response else None

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Return the existing items by key."""
        pending = [encode_key(pk, sk) for pk, sk in dict.fromkeys(keys)]
        items: dict[tuple[str, str], Item] = {}
        while pending:
            batch, pending = pending[:_BATCH_ITEMS], pending[_BATCH_ITEMS:]
            response = get_client().batch_get_item(
                RequestItems={self.name: {"Keys": batch, "ConsistentRead": True}}
            )
            for raw in response["Responses"].get(self.name, []):
                item = decode_item(raw)
                items[item[PARTITION_KEY], item[SORT_KEY]] = item
            pending += response.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return items

    def query(self, pk: str, *, after: str = "", limit: int = 1000) -> list[Item]:
        """Return up to `limit` items of a partition, ordered by sort key, beginning after the sort key `after`."""
        items: list[Item] = []
        while len(items) < limit:
            values = {":pk": pk} | ({":after": after} if after else {})
            response = get_client().query(
                TableName=self.name,
                KeyConditionExpression="#pk = :pk AND #sk > :after" if after else "#pk = :pk",
                ExpressionAttributeNames={"#pk": PARTITION_KEY}
                | ({"#sk": SORT_KEY} if after else {}),
                ExpressionAttributeValues=encode_item(values),
                ConsistentRead=True,
                Limit=limit - len(items),
            )
            items += [decode_item(raw) for raw in response["Items"]]
            if "LastEvaluatedKey" not in response:
                break
            after = decode_item(response["LastEvaluatedKey"])[SORT_KEY]
        return items

    def query_all(self, pk: str, page: int = 1000) -> Iterator[Item]:
        """Yield every item of a partition, ordered by sort key; read `page` items at a time."""
        after = ""
        while items := self.query(pk, after=after, limit=page):
            yield from items
            after = items[-1][SORT_KEY]

    def try_transact(self, writes: Sequence[Write]) -> bool:
        """Apply all writes and return True, or none and return False after a failed condition."""
        try:
            self.transact(writes)
        except ConditionFailedError:
            return False
        return True

    def transact(self, writes: Sequence[Write]) -> None:
        """Apply all writes or none; retry on conflicts and throttling.

        Raises ConditionFailedError, or RepeatedCallError if the condition of an extra write failed.
        """
        for attempt in range(_TRANSACTION_ATTEMPTS):
            try:
                get_client().transact_write_items(TransactItems=[*writes, *self.extra_writes])
                return
            except ClientError as error:
                reasons = error.response.get("CancellationReasons", [])
                codes = [reason.get("Code") for reason in reasons]
                failed = [i for i, code in enumerate(codes) if code == "ConditionalCheckFailed"]
                # The extra writes come last and store the response of a call. A repeated call fails their condition, and
                # usually also the conditions of the change, which the first attempt made: so extra writes are checked first.
                if failed and failed[-1] >= len(writes):
                    raise RepeatedCallError from error
                if failed:
                    raise ConditionFailedError(failed) from error
                if _RETRYABLE_REASONS.isdisjoint(codes) or attempt == _TRANSACTION_ATTEMPTS - 1:
                    raise
            pause = random.uniform(0, _TRANSACTION_PAUSE_SECONDS * 2**attempt)  # noqa: S311 jitter
            time.sleep(pause)

    def increment_counter(self, pk: str, sk: str, *, expires: int) -> int:
        """Increment an item's count (initially 0) and return the new count; `expires` in epoch seconds."""
        response = get_client().update_item(
            TableName=self.name,
            Key=encode_key(pk, sk),
            ReturnValues="UPDATED_NEW",
            **encode_expressions(
                {"UpdateExpression": f"ADD #Count :one SET #{TIME_TO_LIVE} = :expires"},
                {":one": 1, ":expires": expires},
            ),
        )
        return int(decode_item(response["Attributes"])["Count"])

    def set_flag(self, pk: str, sk: str, name: str) -> Item | None:
        """Set an attribute of an item to true and return the item; write nothing and return None without an item."""
        try:
            response = get_client().update_item(
                TableName=self.name,
                Key=encode_key(pk, sk),
                ReturnValues="ALL_NEW",
                **encode_expressions(
                    {
                        "UpdateExpression": f"SET #{name} = :true",
                        "ConditionExpression": "attribute_exists(#pk)",
                    },
                    {":true": True},
                ),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return decode_item(response["Attributes"])

    def build_put(self, item: Mapping[str, Any]) -> Write:
        """Build the write of a new item; fails if the item exists."""
        return {
            "Put": {
                "TableName": self.name,
                "Item": encode_item(item),
                "ConditionExpression": "attribute_not_exists(#pk)",
                "ExpressionAttributeNames": {"#pk": PARTITION_KEY},
            }
        }

    def build_delete(
        self,
        pk: str,
        sk: str,
        *,
        condition: str = "attribute_exists(#pk)",
        values: Mapping[str, Any] | None = None,
    ) -> Write:
        """Build a write to delete an item. By default the write fails without an item."""
        write = {"TableName": self.name, "Key": encode_key(pk, sk)}
        return {
            "Delete": write | encode_expressions({"ConditionExpression": condition}, values or {})
        }

    def build_update(
        self, pk: str, sk: str, *, change: str, condition: str = "", values: Mapping[str, Any]
    ) -> Write:
        """Build a write to update an item. Without a condition, a missing item is created.

        Expressions spell attributes as `#name` and values as `:name`.
        """
        expressions = {"UpdateExpression": change}
        if condition:
            expressions["ConditionExpression"] = condition
        write = {"TableName": self.name, "Key": encode_key(pk, sk)}
        return {"Update": write | encode_expressions(expressions, values)}
