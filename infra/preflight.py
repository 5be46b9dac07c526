"""Preflight checks of the account, run by `make deploy` before the CDK CLI and reported by `make diff`.

A check takes a Deployment and yields Findings. Add a new check to CHECKS. A blocking finding stops `make deploy` unless the
operator allows the finding by name: `make deploy ALLOW=kms_key`.
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
from infra.options import Options, format_stack_name
from infra.record import read_record
from infra.stages import format_value
from twofold.access import Guard
from twofold.settings import Function, Variable, make_function_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    name      name for ALLOW, such as the name of an option
    message   a paragraph with subject, numbers and remedy
    blocking  whether `make deploy` stops; False for a warning
    """

    name: str
    message: str
    blocking: bool = True


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The options of a deployment that has not started, and the deployed stack."""

    options: Options
    region: str

    def make_client(self, service: str) -> Any:
        """Return a boto3 client of the target account and region."""
        return make_client(service)

    @cached_property
    def stack(self) -> DeployedStack | None:
        """The deployed stack; None before the first deployment."""
        return find_stack(format_stack_name(self.options.stage))

    @cached_property
    def record(self) -> dict[str, str]:
        """The options of the deployed stack as TOML values; empty for releases without a record."""
        return read_record(read_template(self.stack)) if self.stack else {}


Check = Callable[[Deployment], Iterable[Finding]]


def check_kms_key(deployment: Deployment) -> Iterator[Finding]:
    """Refuse another key: existing objects keep their key, but the roles may only use the key of the options."""
    stack, options = deployment.stack, deployment.options
    deployed = _unquote(deployment.record.get("kms_key")) if stack else ""
    if stack and deployed is None:
        deployed = read_kms_key(stack)
    if deployed and deployed != options.kms_key:
        new_key = options.kms_key or "no key"
        yield Finding(
            name="kms_key",
            message=f"the data of the deployed stack is encrypted with {deployed}; this deployment would change the key to "
            f"{new_key}. The functions would lose access to the old key, and could not read data encrypted with it. "
            f'Put kms_key = "{deployed}" into the stage\'s file.',
        )


def check_retention(deployment: Deployment) -> Iterator[Finding]:
    """Refuse a shorter retention: contents that can still be restored today would be deleted."""
    stack, options = deployment.stack, deployment.options
    deployed = deployment.record.get("retention_days") if stack else None
    if stack and deployed is None:
        deployed = read_variable(
            make_function_name(options.stage, Function.COLLECT), Variable.RETENTION
        )
    if deployed is not None and options.retention_days < int(deployed):
        yield Finding(
            name="retention_days",
            message=f"{deployed} in the deployed stack, {options.retention_days} in this deployment. The next collection would "
            f"delete contents unreferenced for {options.retention_days} days, and earlier distributions could no longer be "
            "reverted. Keep the value, or allow the change.",
        )


def check_guard(deployment: Deployment) -> Iterator[Finding]:
    """Refuse to switch the guard off, which opens every project to every caller; warn before it is switched on."""
    if not deployment.stack:
        return
    deployed = _unquote(deployment.record.get("guard")) or Guard.NONE
    if deployed == Guard.NONE and deployment.options.guard is Guard.OWNER:
        yield Finding(
            name="guard",
            message="none in the deployed stack, owner in this deployment. Each project will belong to the role or user that "
            "created it; projects without a recorded owner will be accessible to the administrators only.",
            blocking=False,
        )
    if deployed == Guard.OWNER and deployment.options.guard is Guard.NONE:
        yield Finding(
            name="guard",
            message="the deployed stack restricts projects to their owners (guard = owner); this deployment would let every "
            "caller use every project, dataset and manifest of the stage. Keep the option, or allow the change.",
        )


def check_workers(deployment: Deployment) -> Iterator[Finding]:
    """Refuse more workers than the account's concurrent executions allow, besides API calls."""
    workers = deployment.options.workers
    try:
        concurrency = read_concurrency(deployment.make_client("lambda"))
    except ClientError as error:
        message = f"workers is {workers}; the concurrent executions of the account could not be read: {error}"
        yield Finding(name="workers", message=message, blocking=False)
        return
    if shortage := describe_shortage(concurrency, workers):
        yield Finding(name="workers", message=shortage)


def report_changes(deployment: Deployment) -> Iterator[Finding]:
    """Warn about every other changed option."""
    if not deployment.record:
        return
    for name in Options.__dataclass_fields__:
        new_value = format_value(getattr(deployment.options, name))
        deployed = deployment.record.get(name, new_value)
        if deployed != new_value and name not in _CHECKED:
            message = f"{deployed} in the deployed stack, {new_value} in this deployment."
            yield Finding(name=name, message=message, blocking=False)


_CHECKED = ("kms_key", "retention_days", "guard")
CHECKS: tuple[Check, ...] = (
    check_kms_key,
    check_retention,
    check_guard,
    check_workers,
    report_changes,
)


def find_problems(deployment: Deployment, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """Return the findings of all checks in order; botocore's errors pass through."""
    return [finding for check in checks for finding in check(deployment)]


def select_refusals(findings: Iterable[Finding], allowed: Collection[str]) -> list[Finding]:
    """Return the blocking findings whose names are not in `allowed`."""
    return [finding for finding in findings if finding.blocking and finding.name not in allowed]


def _unquote(spelled: str | None) -> str | None:
    return spelled.strip('"') if spelled is not None else None
