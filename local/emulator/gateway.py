"""API Gateway: the REST API with IAM authorization that invokes the API function, as a WSGI application.

Error responses of the gateway are read from infra/gateway_responses.json, like those of the deployed API. A request must be
signed for `rekognition` (as SDKs do) or `execute-api` (as API Gateway requires). Signatures are verified only if keys are set.
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

from local.emulator import sigv4
from local.emulator.clients import REGION
from local.emulator.functions import ACCOUNT, Functions
from local.emulator.sigv4 import Keys, User
from twofold.settings import ApiOperation, Function

MAX_BODY_BYTES = 10_000_000
MAX_EVENT_BYTES = 6 * 1024 * 1024

_RESPONSES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "infra" / "gateway_responses.json").read_text()
)
_CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET = "RekognitionService."
_SCOPE = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request"
)
_SERVICES = ("rekognition", "execute-api")
_PATHS = {f"/{operation.value}" for operation in ApiOperation}


@dataclass(slots=True)
class Throttle:
    """API Gateway's token bucket: bursts of `burst` requests, then `rate` requests a second."""

    rate: float
    burst: int
    _tokens: float = field(init=False)
    _refilled_at: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def allow_request(self) -> bool:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.burst, self._tokens + (now - self._refilled_at) * self.rate)
            self._refilled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass(slots=True)
class Gateway:
    functions: Functions
    throttle: Throttle | None = None
    keys: Keys | None = None

    def can_handle(self, request: Request) -> bool:
        """Whether the request is for the Rekognition API, not for another service."""
        if request.method == "POST" and request.path in _PATHS:
            return True
        scope = _parse_scope(request)
        if request.headers.get("X-Amz-Target", "").startswith(_TARGET):
            return True
        return scope is not None and scope[1] in _SERVICES

    def handle(self, request: Request) -> Response:
        request_id = str(uuid4())
        error = self._find_error(request)
        if error:
            return _make_error_response(request_id, *error)
        event = json.dumps(self._build_event(request, request_id)).encode()
        if len(event) > MAX_EVENT_BYTES:
            return _make_error_response(request_id, "REQUEST_TOO_LARGE", "Request Too Long")
        invocation = self.functions.invoke(Function.API, event)
        if invocation.error:
            return _make_error_response(request_id, "INTEGRATION_FAILURE", "Internal server error")
        result = json.loads(invocation.payload)
        return Response(result["body"], result["statusCode"], result["headers"])

    def _find_error(self, request: Request) -> tuple[str, str] | None:
        """Return (type of the gateway response, message) of the first check that fails, in API Gateway's order, or None."""
        scope = _parse_scope(request)
        if request.method != "POST" or (request.path != "/" and request.path not in _PATHS):
            return "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"
        if scope is None:
            return "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"
        if scope[1] not in _SERVICES:
            message = "Credential should be scoped to correct service: 'execute-api'."
            return "INVALID_SIGNATURE", message
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return "REQUEST_TOO_LARGE", "Request Too Long"
        if self.keys is not None:
            fault = sigv4.find_fault(request, self.keys, REGION, datetime.now(UTC))
            if fault:
                return "INVALID_SIGNATURE", fault
        if self.throttle and not self.throttle.allow_request():
            return "THROTTLED", "Too Many Requests"
        return None

    def _build_event(self, request: Request, request_id: str) -> dict[str, Any]:
        """Return the proxy event of a REST API, with the members that the handler uses."""
        scope = _parse_scope(request)
        key = scope[0] if scope else ""
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


def _parse_scope(request: Request) -> tuple[str, str] | None:
    """Return (access key id, service) from the credential scope of the signature, or None if the request is unsigned."""
    match = _SCOPE.search(request.headers.get("Authorization", ""))
    return (match["key"], match["service"]) if match else None


def _make_error_response(request_id: str, response_type: str, message: str) -> Response:
    gateway_response = _RESPONSES[response_type]
    body = {
        "__type": gateway_response["Error"],
        "Code": gateway_response["Error"],
        "Logref": request_id,
        "Message": gateway_response.get("Message", message),
    }
    headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": request_id}
    return Response(json.dumps(body), gateway_response["StatusCode"], headers)


StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def build_router(gateway: Gateway, aws_services: Application) -> Application:
    """Return an application that routes requests to the gateway or, if the gateway cannot handle them, to AWS services."""

    def route(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if gateway.can_handle(request):
            return gateway.handle(request)(environ, start_response)
        return aws_services(environ, start_response)

    return route
