"""AWS JSON 1.1 over API Gateway's REST proxy events: pure functions from event to call and from result to response.

A request to `POST /` names the operation in the header `X-Amz-Target: RekognitionService.<Operation>`, a request to
`POST /<Operation>` in the path. An error body has Rekognition's members in Rekognition's order: `__type`, `Code`, `Logref`,
`Message`. The status of an error is 500 for a server fault, else 400.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import NAMESPACE_OID, uuid5

import orjson

from twofold.api import java_messages, model
from twofold.errors import (
    InvalidParameterException,
    SerializationException,
    ServerFault,
    ServiceError,
    UnknownOperationException,
)
from twofold.settings import ApiOperation

CONTENT_TYPE = "application/x-amz-json-1.1"
CONTENT_TYPES = frozenset((CONTENT_TYPE, "application/json"))

Event = Mapping[str, Any]


class Response(TypedDict):
    """The response of a proxy integration to API Gateway."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an API operation. `invocation_id` is the same for all attempts of an SDK call, empty if a client sends none."""

    api_operation: ApiOperation
    body: bytes
    request_id: str
    invocation_id: str


def parse_call(event: Event) -> Call:
    """Read the call in an event.

    Raises UnknownOperationException, InvalidParameterException (path and target disagree), SerializationException (content
    type, base64).
    """
    api_operation = _identify_operation(event)
    _check_content_type(event)
    return Call(
        api_operation,
        _read_body(event),
        get_request_id(event),
        _get_header(event, "amz-sdk-invocation-id"),
    )


def get_request_id(event: Event) -> str:
    """Return API Gateway's request id; every event has an id, even if `parse_call` rejects the event."""
    identifier: str = event["requestContext"]["requestId"]
    return identifier


def build_response(request_id: str, result: Mapping[str, Any]) -> Response:
    """Return the response of a success; `result` is the output shape, with timestamps as aware datetimes."""
    return _build(200, request_id, result)


def build_error_response(request_id: str, error: ServiceError) -> Response:
    """Return the response of an error; the error code is the name of the class."""
    code = type(error).__name__
    body = {
        "__type": code,
        "Code": code,
        "Logref": str(uuid5(NAMESPACE_OID, request_id)),
        "Message": error.message,
    }
    return _build(500 if isinstance(error, ServerFault) else 400, request_id, body)


def _build(status: int, request_id: str, body: Mapping[str, Any]) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id},
        "body": orjson.dumps(body, _serialize_timestamp, orjson.OPT_PASSTHROUGH_DATETIME).decode(),
        "isBase64Encoded": False,
    }


def _serialize_timestamp(value: object) -> float:
    """Return a timestamp as epoch seconds with three decimals, as Rekognition does; orjson calls this for datetimes."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} is not serializable: expected an aware datetime.")


def _identify_operation(event: Event) -> ApiOperation:
    """Return the operation in path and header. Both must agree: IAM can allow a caller a single path."""
    if event.get("httpMethod") != "POST":
        raise UnknownOperationException("Every operation is a POST request.")
    by_path = event["resource"].strip("/")
    targets = set(_list_header_values(event, "x-amz-target"))
    if not by_path and not targets:
        raise UnknownOperationException(
            f"Name the operation by the header X-Amz-Target: {model.get_target_prefix()}.<Operation>, "
            "or by the path /<Operation>."
        )
    named = {_require_operation(by_path)} if by_path else set()
    named |= {_parse_target(target) for target in targets}
    if len(named) > 1:
        raise InvalidParameterException(
            f"The request names more than one operation: {', '.join(sorted(named))}. "
            "X-Amz-Target must name the operation of the path, or be left out."
        )
    return named.pop()


def _parse_target(target: str) -> ApiOperation:
    service, _, name = target.rpartition(".")
    if service != model.get_target_prefix():
        raise UnknownOperationException(
            f"X-Amz-Target '{java_messages.render_value(target)}' is not of the form "
            f"{model.get_target_prefix()}.<Operation>."
        )
    return _require_operation(name)


def _require_operation(name: str) -> ApiOperation:
    # Raises UnknownOperationException for a name without a shape.
    model.get_input_shape(name)
    return ApiOperation(name)


def _check_content_type(event: Event) -> None:
    content_type = _get_header(event, "content-type")
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise SerializationException(
            f"Content-Type '{java_messages.render_value(content_type)}' is not supported: "
            f"send {' or '.join(sorted(CONTENT_TYPES, reverse=True))}."
        )


def _read_body(event: Event) -> bytes:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # The JSON parser rejects a lone surrogate later, with its position.
        return body.encode(errors="surrogatepass")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError as error:
        raise SerializationException(f"The body is not valid base64: {error}") from None


def _get_header(event: Event, name: str) -> str:
    return next(iter(_list_header_values(event, name)), "")


def _list_header_values(event: Event, name: str) -> list[str]:
    """Return all values of a header; names are case-insensitive."""
    single = [(key, [value]) for key, value in (event.get("headers") or {}).items()]
    several = list((event.get("multiValueHeaders") or {}).items())
    return [value for key, values in [*single, *several] if key.lower() == name for value in values]
