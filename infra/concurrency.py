"""Compare the Lambda concurrency of an account with the workers of a deployment.

All functions of an account and region share one quota of concurrent executions; new accounts begin with 10. Throttled steps and
workers are retried for minutes, but an API call fails if no execution is free.
"""

from dataclasses import dataclass
from typing import Any

OTHER_EXECUTIONS = 5
"""Executions needed besides the workers: API calls, the sweep, and the steps of concurrent operations."""

_RAISE_QUOTA_ADVICE = (
    "Raise the quota: aws service-quotas request-service-quota-increase --service-code lambda "
    "--quota-code L-B99A9384 --desired-value 1000"
)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """Concurrent executions of an account: `limit` for all functions, `unreserved` for functions without a reservation."""

    limit: int
    unreserved: int


def read_concurrency(client: Any) -> Concurrency:
    """Read both numbers with a boto3 client of Lambda; botocore's errors pass through."""
    account = client.get_account_settings()["AccountLimit"]
    return Concurrency(account["ConcurrentExecutions"], account["UnreservedConcurrentExecutions"])


def describe_shortage(concurrency: Concurrency, workers: int) -> str:
    """Describe the shortage and the remedies; empty if OTHER_EXECUTIONS are free besides the workers of one operation."""
    needed = workers + OTHER_EXECUTIONS
    if concurrency.unreserved >= needed:
        return ""
    reserved = concurrency.limit - concurrency.unreserved
    reservation = (
        f"; other functions reserve {reserved:,} of {concurrency.limit:,}" if reserved else ""
    )
    return (
        f"workers is {workers}: one operation takes up to {workers} concurrent executions of Lambda, and {OTHER_EXECUTIONS} "
        f"more are for API calls and other steps. This account has {concurrency.unreserved:,} in this region{reservation}, so "
        f"API calls would fail during an operation. {_suggest_workers(concurrency)}{_RAISE_QUOTA_ADVICE}"
    )


def _suggest_workers(concurrency: Concurrency) -> str:
    fitting = concurrency.unreserved - OTHER_EXECUTIONS
    return f"Set workers={fitting}; large datasets then take longer. Or: " if fitting > 0 else ""
