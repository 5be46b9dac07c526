"""DynamoDB transactions that moto lacks: isolation, idempotency by ClientRequestToken, and cheap rollback."""

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

from local.emulator.gateway import Application

_PREFIX = "DynamoDB_20120810."
_TRANSACTION = f"{_PREFIX}TransactWriteItems"

_MAX_TOKENS = 10_000

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]+)/")

WsgiResponse = tuple[str, list[tuple[str, str]], bytes]

_MISMATCH: WsgiResponse = (
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
    """A ClientRequestToken in the region where the token is valid."""

    scope: str
    token: str


@dataclass(slots=True)
class DynamoDB:
    """A WSGI application: pass DynamoDB requests to moto sequentially, since moto's transactions are not thread-safe.

    A TransactWriteItems call repeated with the same ClientRequestToken gets the first response; SDKs repeat calls so after a
    lost response.
    """

    application: Application
    _lock: Lock = field(default_factory=Lock)
    _responses: dict[_Token, tuple[bytes, WsgiResponse]] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(_PREFIX):
            return self.application(environ, start_response)
        with self._lock:
            handle = self._run_transaction if target == _TRANSACTION else self._forward
            status, headers, body = handle(environ)
        start_response(status, headers)
        return [body]

    def _run_transaction(self, environ: dict[str, Any]) -> WsgiResponse:
        """Run the transaction, or return the stored response for a repeated token. Failed transactions are not stored."""
        request = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        token = _find_token(environ, request)
        if token is not None and token in self._responses:
            first_request, response = self._responses[token]
            return response if first_request == request else _MISMATCH
        response = self._forward(environ)
        if token and response[0].startswith("200"):
            self._responses[token] = request, response
            if len(self._responses) > _MAX_TOKENS:
                del self._responses[next(iter(self._responses))]
        return response

    def _forward(self, environ: dict[str, Any]) -> WsgiResponse:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started.append((status, headers))

        body = b"".join(self.application(environ, start_response))
        return *started[0], body


def _find_token(environ: dict[str, Any], request: bytes) -> _Token | None:
    """Return the request's token, or None if the request has no token or is not valid JSON."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    try:
        token = json.loads(request).get("ClientRequestToken")
    except (ValueError, AttributeError):
        return None
    return _Token(scope["region"] if scope else "", token) if isinstance(token, str) else None


@cache
def patch_transactions() -> None:
    """Patch moto to roll transactions back item by item.

    moto copies the whole table for each item of a transaction and keeps the copies, so that time grows with the size of the
    table, and memory with the square of this size.
    """
    backend: Any = DynamoDBBackend
    table: Any = Table
    transact = backend.transact_write_items
    in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

    def copy_table(self: Any, memo: dict[int, Any]) -> Any:
        if in_transaction.get():
            return self
        other = object.__new__(type(self))
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return other

    def transact_by_item(self: Any, items: list[dict[str, Any]]) -> None:
        snapshots = [
            _take_snapshot(self, *operation.values()) for operation in items if len(operation) == 1
        ]
        token = in_transaction.set(True)
        try:
            transact(self, items)
        except Exception:
            for snapshot in filter(None, snapshots):
                snapshot.restore()
            raise
        finally:
            in_transaction.reset(token)

    table.__deepcopy__ = copy_table
    backend.transact_write_items = transact_by_item


@dataclass(frozen=True, slots=True)
class _ItemSnapshot:
    """An item before a transaction; `item` is None if the table did not have it."""

    table: Any
    keys: tuple[Any, Any]
    item: Any

    def restore(self) -> None:
        self.table.delete_item(*self.keys)
        if self.item is not None:
            hash_key, range_key = self.keys
            if range_key is None:
                self.table.items[hash_key] = self.item
            else:
                self.table.items[hash_key][range_key] = self.item


def _take_snapshot(backend: Any, operation: dict[str, Any]) -> _ItemSnapshot | None:
    """Return a copy of the item that an operation of a transaction addresses, or None if moto rejects the operation."""
    table = backend.tables.get(operation.get("TableName"))
    try:
        keys = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
    except (AttributeError, KeyError, MockValidationException):
        return None
    return _ItemSnapshot(table, keys, copy.deepcopy(table.get_item(*keys)))
