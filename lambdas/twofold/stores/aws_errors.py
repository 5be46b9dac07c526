"""Translate errors of AWS services into the errors of the API."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twofold.errors import (
    InternalServerError,
    ProvisionedThroughputExceededException,
    ServiceError,
    ThrottlingException,
)

_THROTTLED_CODES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "TooManyRequests",
    }
)
_RETRYABLE_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ExecutionLimitExceeded",
        "TransactionCanceledException",
        "TransactionInProgressException",
    }
)

_UNAVAILABLE_CODES = frozenset({"ServiceUnavailable", "503"})
"""Codes of S3. The response to a HEAD request has no body; its code is the HTTP status."""

_BUSY_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)
"""Reasons of a cancelled transaction."""


class StoreBusyError(ClientError):
    """S3, DynamoDB or another service throttles requests, even after the client's own retries.

    The state machines retry a state after an error of this name.
    """


def raise_if_busy(*, parsed: Any, model: Any, **_: Any) -> None:
    """Raises StoreBusyError. Handler of botocore's event `after-call`, emitted after the last attempt of a call."""
    if _is_busy(parsed):
        raise StoreBusyError(parsed, model.name)


def _is_busy(parsed: Mapping[str, Any]) -> bool:
    code = parsed.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code") for reason in parsed.get("CancellationReasons", [])}
        return bool(reasons & _BUSY_REASONS) and reasons <= {*_BUSY_REASONS, "None", None}
    return code in _THROTTLED_CODES | _UNAVAILABLE_CODES | {"Throttling", "ThrottlingException"}


def to_service_error(error: ClientError | BotoCoreError) -> ServiceError:
    """Return the API's error for an error that remained after the client's own retries."""
    code = get_error_code(error)
    if code in _THROTTLED_CODES:
        return ProvisionedThroughputExceededException("Provisioned Rate exceeded.")
    if code in _RETRYABLE_CODES:
        return ThrottlingException("Service Unavailable")
    return InternalServerError("Internal server error")


def get_error_code(error: ClientError | BotoCoreError) -> str:
    """Return the error code of AWS, or the name of botocore's exception if there was no response."""
    code: str = (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    )
    return code
