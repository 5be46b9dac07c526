"""What an AWS error behind the service means to the service's own caller."""

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
