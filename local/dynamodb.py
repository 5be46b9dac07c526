"""What moto's DynamoDB lacks of DynamoDB's transactions, in front of it, and what it has too much of."""

import copy
import io
import json
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from local.gateway import Application

_PREFIX = "DynamoDB_20120810."
_TRANSACTION = f"{_PREFIX}TransactWriteItems"

_REMEMBERED = 10_000

Answer = tuple[str, list[tuple[str, str]], bytes]


@dataclass(slots=True)
class DynamoDB:
    """One request at a time, since moto's transactions are not atomic across threads; and a transaction that is repeated
    with its ClientRequestToken, as SDKs do when they lose the answer, is not done twice."""

    services: Application
    _lock: Lock = field(default_factory=Lock)
    _answers: dict[str, Answer] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(_PREFIX):
            return self.services(environ, start_response)
        with self._lock:
            token = _token(environ) if target == _TRANSACTION else ""
            answer = self._answers.get(token) or self._ask(environ)
            self._remember(token, answer)
        status, headers, body = answer
        start_response(status, headers)
        return [body]

    def _remember(self, token: str, answer: Answer) -> None:
        """A transaction that failed may be tried again with its token."""
        if token and answer[0].startswith("200"):
            self._answers[token] = answer
            if len(self._answers) > _REMEMBERED:
                del self._answers[next(iter(self._answers))]

    def _ask(self, environ: dict[str, Any]) -> Answer:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            begun.append((status, headers))

        body = b"".join(self.services(environ, start_response))
        return *begun[0], body


def _token(environ: dict[str, Any]) -> str:
    """The token in the body, which is put back for the next reader."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    token: str = json.loads(body).get("ClientRequestToken", "")
    return token


@cache
def ease_transactions() -> None:
    """Lets a transaction be taken back item by item.

    moto copies the whole table for each item of a transaction and holds on to the copies: time would grow with all that was
    ever written, and memory with its square.
    """
    backend: Any = DynamoDBBackend
    table: Any = Table
    transact = backend.transact_write_items
    under_way: ContextVar[bool] = ContextVar("under_way", default=False)

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        if under_way.get():
            return self
        other = object.__new__(type(self))
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return other

    def transact_by_item(self: Any, items: list[dict[str, Any]]) -> None:
        before = [_found(self, *operation.values()) for operation in items if len(operation) == 1]
        token = under_way.set(True)
        try:
            transact(self, items)
        except Exception:
            for place in filter(None, before):
                place.put_back()
            raise
        finally:
            under_way.reset(token)

    table.__deepcopy__ = copied
    backend.transact_write_items = transact_by_item


@dataclass(frozen=True, slots=True)
class _Place:
    """An item of a table as it was, None where there was none."""

    table: Any
    keys: tuple[Any, Any]
    item: Any

    def put_back(self) -> None:
        self.table.delete_item(*self.keys)
        if self.item is not None:
            hash_key, range_key = self.keys
            if range_key is None:
                self.table.items[hash_key] = self.item
            else:
                self.table.items[hash_key][range_key] = self.item


def _found(backend: Any, operation: dict[str, Any]) -> _Place | None:
    """What an operation of a transaction is about; None for one that moto refuses."""
    table = backend.tables.get(operation.get("TableName"))
    try:
        keys = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
    except (AttributeError, KeyError, MockValidationException):
        return None
    return _Place(table, keys, copy.deepcopy(table.get_item(*keys)))
