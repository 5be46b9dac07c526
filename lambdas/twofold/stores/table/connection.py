"""The table as such: reading items, and transactions that fail as one."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Service
from twofold.stores.clients import client
from twofold.stores.table.items import Item, plain, typed

Write = dict[str, Any]

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=16,
)
_TRY_AGAIN = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that pass; SDKs do not repeat it, whatever the reasons are."""

_CONFLICT_ATTEMPTS = 6
_CONFLICT_PAUSE_SECONDS = 0.02
_BATCH = 100


@cache
def _client() -> Any:
    return client(Service.DYNAMODB, _CONFIG)


class ConditionFailedError(Exception):
    """A transaction found something other than it expected; `failed` are the positions of the writes that did."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"The conditions of the writes {list(failed)} failed.")
        self.failed = tuple(failed)


class RepeatedError(Exception):
    """A write that was joined to a transaction found that this call has had its turn."""


@dataclass(frozen=True, slots=True)
class Table:
    """`joined` are writes that every transaction has besides its own."""

    name: str
    joined: tuple[Write, ...] = ()

    def joined_by(self, write: Write) -> "Table":
        return replace(self, joined=(*self.joined, write))

    def get(self, pk: str, sk: str) -> Item | None:
        answer = _client().get_item(TableName=self.name, Key=_key(pk, sk), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """The items that exist, by key."""
        wanted = [_key(pk, sk) for pk, sk in dict.fromkeys(keys)]
        found: dict[tuple[str, str], Item] = {}
        while wanted:
            batch, wanted = wanted[:_BATCH], wanted[_BATCH:]
            answer = _client().batch_get_item(
                RequestItems={self.name: {"Keys": batch, "ConsistentRead": True}}
            )
            for raw in answer["Responses"].get(self.name, []):
                item = plain(raw)
                found[item[PARTITION_KEY], item[SORT_KEY]] = item
            wanted += answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return found

    def query(self, pk: str, *, after: str = "", limit: int = 1000) -> list[Item]:
        """Up to `limit` items of a partition with a sort key greater than `after`, in its order."""
        items: list[Item] = []
        while len(items) < limit:
            answer = _client().query(
                TableName=self.name,
                KeyConditionExpression="#pk = :pk AND #sk > :after" if after else "#pk = :pk",
                ExpressionAttributeNames={"#pk": PARTITION_KEY}
                | ({"#sk": SORT_KEY} if after else {}),
                ExpressionAttributeValues=typed({":pk": pk} | ({":after": after} if after else {})),
                ConsistentRead=True,
                Limit=limit - len(items),
            )
            items += [plain(raw) for raw in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            after = plain(answer["LastEvaluatedKey"])[SORT_KEY]
        return items

    def query_all(self, pk: str, page: int = 1000) -> Iterator[Item]:
        """Every item of a partition in the order of the sort keys, a page at a time."""
        after = ""
        while items := self.query(pk, after=after, limit=page):
            yield from items
            after = items[-1][SORT_KEY]

    def transact(self, writes: Sequence[Write]) -> None:
        """All writes or none; raises ConditionFailedError, or RepeatedError if a joined write's condition failed.

        Waits out writers of the same items, and a table at its limit.
        """
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                _client().transact_write_items(TransactItems=[*writes, *self.joined])
                return
            except ClientError as error:
                codes = [
                    reason.get("Code") for reason in error.response.get("CancellationReasons", [])
                ]
                failed = [i for i, code in enumerate(codes) if code == "ConditionalCheckFailed"]
                if failed and failed[-1] >= len(writes):
                    raise RepeatedError from error
                if failed:
                    raise ConditionFailedError(failed) from error
                if _TRY_AGAIN.isdisjoint(codes) or attempt == _CONFLICT_ATTEMPTS - 1:
                    raise
            time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * 2**attempt))  # noqa: S311 jitter

    def count(self, pk: str, sk: str, *, expires: int) -> int:
        """Adds one to an item's count, which begins with none, and answers with it; `expires` in epoch seconds."""
        answer = _client().update_item(
            TableName=self.name,
            Key=_key(pk, sk),
            ReturnValues="UPDATED_NEW",
            **_expressions(
                {"UpdateExpression": f"ADD #Count :one SET #{TIME_TO_LIVE} = :expires"},
                {":one": 1, ":expires": expires},
            ),
        )
        return int(plain(answer["Attributes"])["Count"])

    def mark(self, pk: str, sk: str, name: str) -> Item | None:
        """Sets an attribute of an item to true, and answers with the item; None, and nothing is written, if there is none."""
        try:
            answer = _client().update_item(
                TableName=self.name,
                Key=_key(pk, sk),
                ReturnValues="ALL_NEW",
                **_expressions(
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
        return plain(answer["Attributes"])

    def put(self, item: Mapping[str, Any], *, new: bool = True) -> Write:
        """A write for `transact`: the item, which must not be there yet if it is `new`."""
        write = {"TableName": self.name, "Item": typed(item)}
        if new:
            write |= {
                "ConditionExpression": "attribute_not_exists(#pk)",
                "ExpressionAttributeNames": {"#pk": PARTITION_KEY},
            }
        return {"Put": write}

    def delete(
        self,
        pk: str,
        sk: str,
        *,
        condition: str = "attribute_exists(#pk)",
        values: Mapping[str, Any] | None = None,
    ) -> Write:
        """A write for `transact`; without a condition of its own the item must be there."""
        write = {"TableName": self.name, "Key": _key(pk, sk)}
        return {"Delete": write | _expressions({"ConditionExpression": condition}, values or {})}

    def update(
        self, pk: str, sk: str, *, change: str, condition: str = "", values: Mapping[str, Any]
    ) -> Write:
        """A write for `transact`; without a condition it makes the item if there is none.

        Expressions spell attributes as `#name` and values as `:name`.
        """
        texts = {"UpdateExpression": change} | (
            {"ConditionExpression": condition} if condition else {}
        )
        write = {"TableName": self.name, "Key": _key(pk, sk)}
        return {"Update": write | _expressions(texts, values)}


def _expressions(texts: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """Expressions with the names and values that they use."""
    names = {name for text in texts.values() for name in _names(text)}
    used: Item = {**texts, "ExpressionAttributeNames": {f"#{name}": name for name in names}}
    return used | ({"ExpressionAttributeValues": typed(values)} if values else {})


def _names(expression: str) -> list[str]:
    words = expression.replace(",", " ").replace("(", " ").replace(")", " ").replace(".", " ")
    return [word[1:] for word in words.split() if word.startswith("#")]


def _key(pk: str, sk: str) -> Item:
    return typed({PARTITION_KEY: pk, SORT_KEY: sk})
