"""What an AWS error behind the service means to the service's own caller."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twofold.errors import (
    InternalServerError,
    ProvisionedThroughputExceededException,
    ServiceError,
    ThrottlingException,
)

_STORE_AT_ITS_LIMIT = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "TooManyRequests",
    }
)
_TRY_LATER = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ExecutionLimitExceeded",
        "TransactionCanceledException",
        "TransactionInProgressException",
    }
)


_UNAVAILABLE = frozenset({"ServiceUnavailable", "503"})
"""S3's; the answer to a HEAD has no body, so its code is the status."""

_BUSY_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)
"""Of a cancelled transaction."""


class StoreBusyError(ClientError):
    """S3, DynamoDB or another service asks for fewer requests, and still does after the client's own retries.

    State machines know it by this name, and try the step again later.
    """


def raise_if_busy(*, parsed: Any, model: Any, **_: Any) -> None:
    """For botocore's event `after-call`, which follows a client's last attempt; raises StoreBusyError."""
    if _is_busy(parsed):
        raise StoreBusyError(parsed, model.name)


def _is_busy(parsed: Mapping[str, Any]) -> bool:
    code = parsed.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code") for reason in parsed.get("CancellationReasons", [])}
        return bool(reasons & _BUSY_REASONS) and reasons <= {*_BUSY_REASONS, "None", None}
    return code in _STORE_AT_ITS_LIMIT | _UNAVAILABLE | {"Throttling", "ThrottlingException"}


def service_error(error: ClientError | BotoCoreError) -> ServiceError:
    """The exception to answer with, after the clients' own retries have been used up."""
    code = error_code(error)
    if code in _STORE_AT_ITS_LIMIT:
        return ProvisionedThroughputExceededException("Provisioned Rate exceeded.")
    if code in _TRY_LATER:
        return ThrottlingException("Service Unavailable")
    return InternalServerError("Internal server error")


def error_code(error: ClientError | BotoCoreError) -> str:
    """AWS's name of it, or that of what kept AWS from answering."""
    code: str = (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    )
    return code
