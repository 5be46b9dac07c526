"""What moto's DynamoDB lacks of DynamoDB's transactions, in front of it."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

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
