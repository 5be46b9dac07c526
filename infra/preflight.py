"""Checks of the account that `make deploy` runs before the CDK CLI starts, and that `make diff` reports.

A check takes a Deployment and yields Findings. Add a new check to CHECKS. A refusal stops `make deploy` unless the operator
insists on it by name: `make deploy ALLOW=kms_key`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from infra.concurrency import describe_shortage, read_concurrency
from infra.deployed import (
    DeployedStack,
    find_stack,
    make_client,
    read_kms_key,
    read_template,
    read_variable,
)
from infra.options import Options, stack_name
from infra.record import read_record
from infra.stages import spell_value
from twofold.access import Guard
from twofold.settings import Function, Variable, function_name


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
    """The deployment that is about to start, and what it would change."""

    options: Options
    region: str

    def client(self, service: str) -> Any:
        """A boto3 client of the account and region that the deployment goes to."""
        return make_client(service)

    @cached_property
    def stack(self) -> DeployedStack | None:
        """The stack as it is deployed now; None before the first deployment."""
        return find_stack(stack_name(self.options.stage))

    @cached_property
    def record(self) -> dict[str, str]:
        """The options of the deployed stack, as TOML spells them; none if its release recorded nothing."""
        return read_record(read_template(self.stack)) if self.stack else {}


Check = Callable[[Deployment], Iterable[Finding]]


def check_kms_key(deployment: Deployment) -> Iterator[Finding]:
    """Objects stay under the key that they were written with, and the roles may use the key of the options only."""
    stack, options = deployment.stack, deployment.options
    deployed = _unquote(deployment.record.get("kms_key")) if stack else ""
    if stack and deployed is None:
        deployed = read_kms_key(stack)
    if deployed and deployed != options.kms_key:
        wanted = options.kms_key or "no key"
        yield Finding(
            name="kms_key",
            message=f"the data of the deployed stack are encrypted with {deployed}; this deployment would change that to "
            f"{wanted}. The functions would lose their right to the old key, and all that was written with it would be "
            f'unreadable. Put kms_key = "{deployed}" into the stage\'s file.',
        )


def check_retention(deployment: Deployment) -> Iterator[Finding]:
    """A shorter time deletes contents that can still be had back today."""
    stack, options = deployment.stack, deployment.options
    deployed = deployment.record.get("retention_days") if stack else None
    if stack and deployed is None:
        deployed = read_variable(function_name(options.stage, Function.COLLECT), Variable.RETENTION)
    if deployed is not None and options.retention_days < int(deployed):
        yield Finding(
            name="retention_days",
            message=f"{deployed} in the deployed stack, {options.retention_days} in this deployment. The next collection would "
            f"delete contents that no dataset has pointed to for {options.retention_days} days, and distributions from "
            "before that time could not be reverted any more. Keep the value, or insist.",
        )


def check_guard(deployment: Deployment) -> Iterator[Finding]:
    """Without its guard a stage shows every project to every caller; with it, a project may be no caller's any more."""
    if not deployment.stack:
        return
    deployed = _unquote(deployment.record.get("guard")) or Guard.NONE
    if deployed == Guard.NONE and deployment.options.guard is Guard.OWNER:
        yield Finding(
            name="guard",
            message="none in the deployed stack, owner in this deployment. Each project is then for the role or user that "
            "created it; one whose owner is not recorded is for the administrators alone.",
            refused=False,
        )
    if deployed == Guard.OWNER and deployment.options.guard is Guard.NONE:
        yield Finding(
            name="guard",
            message="the deployed stack keeps projects for their owners (guard = owner); this deployment would let every "
            "caller use every project, dataset and manifest of the stage. Keep the option, or insist.",
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


def report_changes(deployment: Deployment) -> Iterator[Finding]:
    """Every other option that is not as it was deployed."""
    if not deployment.record:
        return
    for name in Options.__dataclass_fields__:
        wanted = spell_value(getattr(deployment.options, name))
        deployed = deployment.record.get(name, wanted)
        if deployed != wanted and name not in _CHECKED:
            message = f"{deployed} in the deployed stack, {wanted} in this deployment."
            yield Finding(name=name, message=message, refused=False)


_CHECKED = ("kms_key", "retention_days", "guard")
CHECKS: tuple[Check, ...] = (
    check_kms_key,
    check_retention,
    check_guard,
    check_workers,
    report_changes,
)


def find_problems(deployment: Deployment, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """The findings of all checks in their order; botocore's errors pass through."""
    return [finding for check in checks for finding in check(deployment)]


def select_refusals(findings: Iterable[Finding], allowed: Collection[str]) -> list[Finding]:
    """The findings that stop a deployment which insists on the names in `allowed`."""
    return [finding for finding in findings if finding.refused and finding.name not in allowed]


def _unquote(spelled: str | None) -> str | None:
    return spelled.strip('"') if spelled is not None else None
