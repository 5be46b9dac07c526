"""What moto's DynamoDB lacks of DynamoDB's transactions, in front of it, and what it has too much of."""

import copy
import json
import re
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

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]+)/")

Answer = tuple[str, list[tuple[str, str]], bytes]

_MISMATCH: Answer = (
    "400 BAD REQUEST",
    [("Content-Type", "application/x-amz-json-1.0")],
    json.dumps(
        {
            "__type": "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
            "message": "The ClientRequestToken has been used with another request.",
        }
    ).encode(),
)


@dataclass(frozen=True, slots=True)
class _Token:
    """Who repeats which transaction: DynamoDB knows a token within an account and a region."""

    scope: str
    token: str


@dataclass(slots=True)
class DynamoDB:
    """One request at a time, since moto's transactions are not atomic across threads; and a transaction that is repeated
    with its ClientRequestToken, as SDKs do when they lose the answer, is not done twice."""

    services: Application
    _lock: Lock = field(default_factory=Lock)
    _answers: dict[_Token, tuple[bytes, Answer]] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(_PREFIX):
            return self.services(environ, start_response)
        with self._lock:
            ask = self._transact if target == _TRANSACTION else self._ask
            status, headers, body = ask(environ)
        start_response(status, headers)
        return [body]

    def _transact(self, environ: dict[str, Any]) -> Answer:
        """A transaction that failed may be tried again with its token."""
        request = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        token = _find_token(environ, request)
        if token is not None and token in self._answers:
            asked, answer = self._answers[token]
            return answer if asked == request else _MISMATCH
        answer = self._ask(environ)
        if token and answer[0].startswith("200"):
            self._answers[token] = request, answer
            if len(self._answers) > _REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return answer

    def _ask(self, environ: dict[str, Any]) -> Answer:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            begun.append((status, headers))

        body = b"".join(self.services(environ, start_response))
        return *begun[0], body


def _find_token(environ: dict[str, Any], request: bytes) -> _Token | None:
    """None where there is none, or no request that moto would not refuse."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    try:
        token = json.loads(request).get("ClientRequestToken")
    except (ValueError, AttributeError):
        return None
    return _Token(scope["region"] if scope else "", token) if isinstance(token, str) else None


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
