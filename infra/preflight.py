"""Checks of the account that `make deploy` runs before the CDK CLI starts, and that `make diff` reports.

A check takes a Deployment and yields Findings. Add a new check to CHECKS. A refusal stops `make deploy` unless the operator
insists on it by name: `make deploy ALLOW=kms_key`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.concurrency import describe_shortage, read_concurrency
from infra.deployed import DeployedStack, find_stack
from infra.options import Options, stack_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    name      the word that ALLOW takes, such as the name of an option
    message   names the subject, the numbers and the remedy; one paragraph
    refused   whether `make deploy` stops; False for a warning
    """

    name: str
    message: str
    refused: bool = True


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The deployment that is about to start, and clients of the account it goes to."""

    options: Options
    region: str

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(service, region_name=self.region)

    @cached_property
    def stack(self) -> DeployedStack | None:
        """The stack as it is deployed now; None before the first deployment."""
        return find_stack(stack_name(self.options.stage))


Check = Callable[[Deployment], Iterable[Finding]]


def check_kms_key(deployment: Deployment) -> Iterator[Finding]:
    """Objects stay under the key that they were written with, and the roles may use the key of the options only."""
    stack = deployment.stack
    deployed = stack.kms_key() if stack else ""
    if not deployed or deployed == deployment.options.kms_key:
        return
    wanted = deployment.options.kms_key or "no key"
    yield Finding(
        name="kms_key",
        message=f"kms_key is {deployed} in the deployed stack and would become {wanted}. The functions would lose their right "
        f'to the old key, and the data written so far would be unreadable. Keep kms_key = "{deployed}".',
    )


def check_workers(deployment: Deployment) -> Iterator[Finding]:
    """The account's concurrent executions must leave room for calls of the API beside the workers."""
    workers = deployment.options.workers
    try:
        concurrency = read_concurrency(deployment.client("lambda"))
    except ClientError as error:
        message = (
            f"workers is {workers}, and nobody checked that the account has room for them: {error}"
        )
        yield Finding(name="workers", message=message, refused=False)
        return
    if shortage := describe_shortage(concurrency, workers):
        yield Finding(name="workers", message=shortage)


CHECKS: tuple[Check, ...] = (check_kms_key, check_workers)


def find_problems(deployment: Deployment, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """The findings of all checks in their order; botocore's errors pass through."""
    return [finding for check in checks for finding in check(deployment)]


def select_refusals(findings: Iterable[Finding], allowed: Collection[str]) -> list[Finding]:
    """The findings that stop a deployment which insists on the names in `allowed`."""
    return [finding for finding in findings if finding.refused and finding.name not in allowed]
