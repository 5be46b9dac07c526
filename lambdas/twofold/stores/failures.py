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
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _STORE_AT_ITS_LIMIT:
        return ProvisionedThroughputExceededException("Provisioned Rate exceeded.")
    if code in _TRY_LATER:
        return ThrottlingException("Service Unavailable")
    return InternalServerError("Internal server error")
