"""Does the account have room for the workers of a deployment? `make deploy` asks before anything is deployed.

All functions of an account and region share its concurrent executions; new accounts begin with 10. A step or a worker that
is throttled tries again for minutes, but a call of the API fails while nothing is free.
"""

from dataclasses import dataclass
from typing import Any

ROOM_FOR_OTHERS = 5
"""Executions beside the workers: calls of the API, the sweep, and the steps of other operations."""

_RAISE = (
    "Raise the quota: aws service-quotas request-service-quota-increase --service-code lambda "
    "--quota-code L-B99A9384 --desired-value 1000"
)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """Executions that an account may have at once: `limit` of all functions, `unreserved` of those that reserve none."""

    limit: int
    unreserved: int


def read_concurrency(client: Any) -> Concurrency:
    """Asks Lambda, by a client of boto3; botocore's errors pass through."""
    account = client.get_account_settings()["AccountLimit"]
    return Concurrency(account["ConcurrentExecutions"], account["UnreservedConcurrentExecutions"])


def describe_shortage(concurrency: Concurrency, workers: int) -> str:
    """Says what is missing and how to get it; empty if one operation's workers leave ROOM_FOR_OTHERS."""
    needed = workers + ROOM_FOR_OTHERS
    if concurrency.unreserved >= needed:
        return ""
    reserved = concurrency.limit - concurrency.unreserved
    rest = f"; other functions reserve {reserved:,} of {concurrency.limit:,}" if reserved else ""
    return (
        f"workers is {workers}: one operation takes up to {workers} concurrent executions of Lambda, and {ROOM_FOR_OTHERS} "
        f"more are for calls and other steps. This account has {concurrency.unreserved:,} in this region{rest}, so calls would "
        f"fail while an operation is under way. {_suggest_workers(concurrency)}{_RAISE}"
    )


def _suggest_workers(concurrency: Concurrency) -> str:
    fitting = concurrency.unreserved - ROOM_FOR_OTHERS
    return f"Choose workers={fitting}, with which large datasets take longer. Or: " * (fitting > 0)
