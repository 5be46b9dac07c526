"""AWS JSON 1.1 over API Gateway's REST proxy events: pure functions from event to call and from result to response.

`POST /` names its operation by `X-Amz-Target: RekognitionService.<Operation>`, `POST /<Operation>` by its path. The
error body is Rekognition's: `__type`, `Code`, `Logref`, `Message`, in that order; server faults are HTTP 500, all
else is 400.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import NAMESPACE_OID, uuid5

import orjson

from twofold.api import java, model
from twofold.errors import (
    InvalidParameterException,
    SerializationException,
    ServerFault,
    ServiceError,
    UnknownOperationException,
)
from twofold.settings import Operation

CONTENT_TYPE = "application/x-amz-json-1.1"
CONTENT_TYPES = frozenset((CONTENT_TYPE, "application/json"))

Event = Mapping[str, Any]


class Response(TypedDict):
    """What API Gateway takes from a proxy integration."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True, slots=True)
class Call:
    """`invocation_id` is the same for all attempts of one SDK call; empty where the client sends none."""

    operation: Operation
    body: bytes
    request_id: str
    invocation_id: str


def read(event: Event) -> Call:
    """Raises UnknownOperationException, InvalidParameterException (path and target disagree) and
    SerializationException (content type, base64)."""
    operation = _operation(event)
    _check_content_type(event)
    return Call(operation, _body(event), request_id(event), _header(event, "amz-sdk-invocation-id"))


def request_id(event: Event) -> str:
    """API Gateway's id of the request; it is there even for an event that `read` refuses."""
    identifier: str = event["requestContext"]["requestId"]
    return identifier


def success(request_id: str, result: Mapping[str, Any]) -> Response:
    """`result` is the model's output: timestamps as aware datetimes."""
    return _response(200, request_id, result)


def failure(request_id: str, error: ServiceError) -> Response:
    code = type(error).__name__
    body = {
        "__type": code,
        "Code": code,
        "Logref": str(uuid5(NAMESPACE_OID, request_id)),
        "Message": error.message,
    }
    return _response(500 if isinstance(error, ServerFault) else 400, request_id, body)


def _response(status: int, request_id: str, body: Mapping[str, Any]) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id},
        "body": orjson.dumps(body, _wire_value, orjson.OPT_PASSTHROUGH_DATETIME).decode(),
        "isBase64Encoded": False,
    }


def _wire_value(value: object) -> float:
    """Epoch seconds with milliseconds, the precision of Rekognition's timestamps."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} has no form on the wire.")


def _operation(event: Event) -> Operation:
    """IAM may allow the caller one path only, so a target header cannot lead elsewhere."""
    if event.get("httpMethod") != "POST":
        raise UnknownOperationException("Every operation is a POST request.")
    by_path = event["resource"].strip("/")
    targets = set(_headers(event, "x-amz-target"))
    if not by_path and not targets:
        raise UnknownOperationException(
            f"Name the operation by the header X-Amz-Target: {model.target_prefix()}.<Operation>, "
            "or by the path /<Operation>."
        )
    named = {_known(by_path)} if by_path else set()
    named |= {_targeted(target) for target in targets}
    if len(named) > 1:
        raise InvalidParameterException(
            f"The request names more than one operation: {', '.join(sorted(named))}. "
            "X-Amz-Target must name the operation of the path, or be left out."
        )
    return named.pop()


def _targeted(target: str) -> Operation:
    service, _, name = target.rpartition(".")
    if service != model.target_prefix():
        raise UnknownOperationException(
            f"X-Amz-Target '{java.text(target)}' is not of the form "
            f"{model.target_prefix()}.<Operation>."
        )
    return _known(name)


def _known(name: str) -> Operation:
    model.input_shape(name)
    return Operation(name)


def _check_content_type(event: Event) -> None:
    content_type = _header(event, "content-type")
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise SerializationException(
            f"Content-Type '{java.text(content_type)}' is not supported: "
            f"send {' or '.join(sorted(CONTENT_TYPES, reverse=True))}."
        )


def _body(event: Event) -> bytes:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # A lone surrogate passes here and is refused, with its place, by the JSON parser.
        return body.encode(errors="surrogatepass")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError as error:
        raise SerializationException(f"The body is not valid base64: {error}") from None


def _header(event: Event, name: str) -> str:
    return next(iter(_headers(event, name)), "")


def _headers(event: Event, name: str) -> list[str]:
    """Every value of a header; names have no case."""
    single = [(key, [value]) for key, value in (event.get("headers") or {}).items()]
    several = list((event.get("multiValueHeaders") or {}).items())
    return [value for key, values in [*single, *several] if key.lower() == name for value in values]
