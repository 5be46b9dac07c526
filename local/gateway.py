"""API Gateway's part: the REST API with IAM authorization in front of the API function, as a WSGI application.

What it answers itself is in infra/gateway_responses.json, which the deployed API is made from too. A request must be signed,
for `rekognition` (as SDKs do) or `execute-api` (as API Gateway wants it); without keys to verify it, any signature will do.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local import signatures
from local.clients import REGION
from local.functions import ACCOUNT, Functions
from local.signatures import Keys, User
from twofold.settings import Function, Operation

MAX_BODY_BYTES = 10_000_000
MAX_EVENT_BYTES = 6 * 1024 * 1024

_RESPONSES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "infra" / "gateway_responses.json").read_text()
)
_CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET = "RekognitionService."
_SCOPE = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request"
)
_SERVICES = ("rekognition", "execute-api")
_PATHS = {f"/{operation.value}" for operation in Operation}


@dataclass(slots=True)
class Throttle:
    """API Gateway's token bucket: `burst` requests at once, `rate` a second steadily."""

    rate: float
    burst: int
    _tokens: float = field(init=False)
    _then: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def admit(self) -> bool:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.burst, self._tokens + (now - self._then) * self.rate)
            self._then = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass(slots=True)
class Gateway:
    functions: Functions
    throttle: Throttle | None = None
    keys: Keys | None = None

    def claims(self, request: Request) -> bool:
        """Is this request for the Rekognition API rather than for another service?"""
        if request.method == "POST" and request.path in _PATHS:
            return True
        signed_for = _signed_for(request)
        if request.headers.get("X-Amz-Target", "").startswith(_TARGET):
            return True
        return signed_for is not None and signed_for[1] in _SERVICES

    def answer(self, request: Request) -> Response:
        request_id = str(uuid4())
        refusal = self._refusal(request)
        if refusal:
            return _refuse(request_id, *refusal)
        event = json.dumps(self._event(request, request_id)).encode()
        if len(event) > MAX_EVENT_BYTES:
            return _refuse(request_id, "REQUEST_TOO_LARGE", "Request Too Long")
        answer = self.functions.invoke(Function.API, event)
        if answer.error:
            return _refuse(request_id, "INTEGRATION_FAILURE", "Internal server error")
        result = json.loads(answer.payload)
        return Response(result["body"], result["statusCode"], result["headers"])

    def _refusal(self, request: Request) -> tuple[str, str] | None:
        """(type of gateway response, message), in the order in which API Gateway looks."""
        signed_for = _signed_for(request)
        if request.method != "POST" or (request.path != "/" and request.path not in _PATHS):
            return "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"
        if signed_for is None:
            return "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"
        if signed_for[1] not in _SERVICES:
            message = "Credential should be scoped to correct service: 'execute-api'."
            return "INVALID_SIGNATURE", message
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return "REQUEST_TOO_LARGE", "Request Too Long"
        if self.keys is not None:
            fault = signatures.fault(request, self.keys, REGION, datetime.now(UTC))
            if fault:
                return "INVALID_SIGNATURE", fault
        if self.throttle and not self.throttle.admit():
            return "THROTTLED", "Too Many Requests"
        return None

    def _event(self, request: Request, request_id: str) -> dict[str, Any]:
        """A REST API's proxy event, with what a handler may use of it."""
        signed_for = _signed_for(request)
        key = signed_for[0] if signed_for else ""
        user = self.keys[key] if self.keys else User(key, "")
        return {
            "resource": request.path,
            "path": request.path,
            "httpMethod": request.method,
            "headers": dict(request.headers.items()),
            "multiValueHeaders": {key: request.headers.getlist(key) for key, _ in request.headers},
            "queryStringParameters": dict(request.args) or None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "httpMethod": request.method,
                "identity": {
                    "accessKey": key,
                    "accountId": ACCOUNT,
                    "sourceIp": request.remote_addr,
                    "caller": user.id,
                    "user": user.id,
                    "userArn": f"arn:aws:iam::{ACCOUNT}:user/{user.name}",
                },
                "path": request.path,
                "requestId": request_id,
                "resourcePath": request.path,
                "stage": "local",
            },
            "body": request.get_data().decode(errors="replace") or None,
            "isBase64Encoded": False,
        }


def _signed_for(request: Request) -> tuple[str, str] | None:
    """(access key, service) of the signature's scope."""
    found = _SCOPE.search(request.headers.get("Authorization", ""))
    return (found["key"], found["service"]) if found else None


def _refuse(request_id: str, kind: str, message: str) -> Response:
    answer = _RESPONSES[kind]
    body = {
        "__type": answer["Error"],
        "Code": answer["Error"],
        "Logref": request_id,
        "Message": answer.get("Message", message),
    }
    headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": request_id}
    return Response(json.dumps(body), answer["StatusCode"], headers)


StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def front(gateway: Gateway, behind: Application) -> Application:
    """The gateway's requests to the gateway, all others to the application behind it."""

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if gateway.claims(request):
            return gateway.answer(request)(environ, start_response)
        return behind(environ, start_response)

    return application
