"""What can be chosen at deployment, read from CDK context."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from twofold.access import PRINCIPAL, Access, Guard
from twofold.settings import PRODUCT, RETENTION_DAYS, SOLVER_MEMORY_MB, LogLevel, Quotas

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,19}")
ANY_BUCKET = "*"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_MOST_ADMINISTRATORS = 10
"""The variables of a function have 4 KB together."""

_LEAST_WAF_RATE = 10

_MOST_WORKERS = 1_000
"""A function gets 1,000 more executions in 10 seconds; more workers would begin throttled."""

_LEAST_SOLVER_MEMORY_MB = 512
_MOST_MEMORY_MB = 10_240
"""Lambda's."""

# What CloudWatch Logs offers.
_LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)

Choice = TypeVar("Choice", bound=StrEnum)


class OptionError(ValueError):
    """A context value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    stage               names the stack and everything with a fixed name in it
    source_buckets      buckets that manifests may be read from, besides the folder sources/ of the stack's own bucket;
                        * is every bucket of the stack's account
    source_keys         ARNs of the KMS keys that those buckets are encrypted with; empty: every key of the stack's own
                        account, as far as the key's policy lets the account's IAM decide
    kms_key             ARN of the KMS key for the stack's own bucket and table; empty: keys that AWS owns
    quotas              the totals that apply
    retention_days      how long contents are kept that no dataset points to any more
    solver_memory_mb    memory of Resolve, Select and Merge, which hold a whole index; how many entries fit: docs/performance.md
    workers             shards that one operation works on at the same time: MaxConcurrency of each Distributed Map
    throttle_rate       requests a second, steadily, over all callers
    throttle_burst      requests at once
    guard               owner: a project, its datasets and a folder of sources are for one principal; none: for every caller
    administrators      ARNs of the roles and users that pass the guard
    caller_rate         requests that one caller may make in a second; 0 is no limit
    waf_rate            requests that one address may send in five minutes, held by a web ACL; 0 is no web ACL
    alarm_email         who gets the alarms; empty: nobody, until someone subscribes to the topic that is an output
    log_level           the least of what is logged: DEBUG, INFO, WARNING or ERROR; metrics are published whatever it is
    log_retention_days  how long logs are kept
    api_metrics         whether API Gateway publishes metrics for each method, which cost extra; nothing of ours reads them
    dashboard           whether there is a dashboard
    termination_protection  whether the stack refuses to be deleted
    """

    stage: str = "prod"
    source_buckets: tuple[str, ...] = ()
    source_keys: tuple[str, ...] = ()
    kms_key: str = ""
    quotas: Quotas = Quotas.TWOFOLD
    retention_days: int = RETENTION_DAYS
    solver_memory_mb: int = SOLVER_MEMORY_MB
    workers: int = 40
    throttle_rate: int = 50
    throttle_burst: int = 100
    guard: Guard = Guard.NONE
    administrators: tuple[str, ...] = ()
    caller_rate: int = 0
    waf_rate: int = 0
    alarm_email: str = ""
    log_level: LogLevel = LogLevel.INFO
    log_retention_days: int = 30
    api_metrics: bool = False
    dashboard: bool = True
    termination_protection: bool = False

    @classmethod
    def of(cls, context: Callable[[str], object]) -> "Options":
        """`context` gives the value of a key or None; raises OptionError."""

        def count(name: str) -> int:
            value = context(name)
            default = int(getattr(cls(), name))
            return default if value is None else _count(name, str(value), least=min(default, 1))

        def switch(name: str) -> bool:
            value = context(name)
            return bool(getattr(cls(), name)) if value is None else _switch(name, str(value))

        return cls(
            stage=_stage(str(context("stage") or cls().stage)),
            source_buckets=_buckets(str(context("source_buckets") or "")),
            source_keys=_keys("source_keys", str(context("source_keys") or "")),
            kms_key=_key(str(context("kms_key") or "")),
            quotas=_one_of("quotas", str(context("quotas") or cls().quotas), Quotas),
            retention_days=count("retention_days"),
            solver_memory_mb=_solver_memory(count("solver_memory_mb")),
            workers=_workers(count("workers")),
            throttle_rate=count("throttle_rate"),
            throttle_burst=count("throttle_burst"),
            guard=_one_of("guard", str(context("guard") or cls().guard), Guard),
            administrators=_administrators(str(context("administrators") or "")),
            caller_rate=count("caller_rate"),
            waf_rate=_waf_rate(count("waf_rate")),
            alarm_email=_address(str(context("alarm_email") or "")),
            log_level=_one_of("log_level", str(context("log_level") or cls().log_level), LogLevel),
            log_retention_days=_log_days(count("log_retention_days")),
            api_metrics=switch("api_metrics"),
            dashboard=switch("dashboard"),
            termination_protection=switch("termination_protection"),
        )

    @property
    def access(self) -> Access:
        """What the API function is told of it."""
        return Access(self.guard, self.administrators, self.caller_rate)

    @property
    def counts_calls(self) -> bool:
        return self.quotas is Quotas.REKOGNITION or self.caller_rate > 0


def options_of(arguments: Iterable[str]) -> Options:
    """The options that `option=value` pairs choose; raises OptionError."""
    return Options.of(pairs_of(arguments).get)


def pairs_of(arguments: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in Options.__dataclass_fields__:
            known = ", ".join(Options.__dataclass_fields__)
            raise OptionError(f"'{argument}': give options as key=value, with a key of {known}.")
        pairs[key] = value
    return pairs


def stack_name(stage: str) -> str:
    return f"{PRODUCT.capitalize()}-{stage}"


def _stage(value: str) -> str:
    if not _STAGE.fullmatch(value):
        raise OptionError(
            f"stage='{value}': use up to 20 lower-case letters, digits and hyphens, a letter first."
        )
    return value


def _listed(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _buckets(value: str) -> tuple[str, ...]:
    for name in _listed(value):
        if name != ANY_BUCKET and not _BUCKET.fullmatch(name):
            raise OptionError(f"source_buckets: '{name}' is not the name of a bucket.")
    return (ANY_BUCKET,) if ANY_BUCKET in _listed(value) else _listed(value)


def _keys(name: str, value: str) -> tuple[str, ...]:
    return _arns(name, value, _KEY, "a KMS key (arn:aws:kms:<region>:<account>:key/<id>)")


def _arns(name: str, value: str, pattern: re.Pattern[str], kind: str) -> tuple[str, ...]:
    for arn in _listed(value):
        if not pattern.fullmatch(arn):
            raise OptionError(f"{name}: '{arn}' is not the ARN of {kind}.")
    return _listed(value)


def _key(value: str) -> str:
    arns = _keys("kms_key", value)
    if len(arns) > 1:
        raise OptionError(f"kms_key='{value}': give one key.")
    return arns[0] if arns else ""


def _administrators(value: str) -> tuple[str, ...]:
    arns = _arns(
        "administrators", value, PRINCIPAL, "a role or user (arn:aws:iam::<account>:role/<name>)"
    )
    if len(arns) > _MOST_ADMINISTRATORS:
        raise OptionError(f"administrators: give up to {_MOST_ADMINISTRATORS}, not {len(arns)}.")
    return arns


def _solver_memory(value: int) -> int:
    if not _LEAST_SOLVER_MEMORY_MB <= value <= _MOST_MEMORY_MB:
        raise OptionError(
            f"solver_memory_mb='{value}': use {_LEAST_SOLVER_MEMORY_MB:,} to {_MOST_MEMORY_MB:,}; "
            f"accounts without a raised quota allow {SOLVER_MEMORY_MB:,}."
        )
    return value


def _workers(value: int) -> int:
    if value > _MOST_WORKERS:
        raise OptionError(f"workers='{value}': use 1 to {_MOST_WORKERS:,}.")
    return value


def _waf_rate(value: int) -> int:
    if value and value < _LEAST_WAF_RATE:
        raise OptionError(f"waf_rate='{value}': WAF takes {_LEAST_WAF_RATE} and more.")
    return value


def _address(value: str) -> str:
    if value and not _ADDRESS.fullmatch(value):
        raise OptionError(f"alarm_email='{value}': use one e-mail address.")
    return value


def _one_of(name: str, value: str, choices: type[Choice]) -> Choice:
    if value not in list(choices):
        raise OptionError(f"{name}='{value}': choose one of {', '.join(choices)}.")
    return choices(value)


def _log_days(value: int) -> int:
    if value not in _LOG_DAYS:
        offered = ", ".join(map(str, _LOG_DAYS))
        raise OptionError(f"log_retention_days='{value}': CloudWatch offers {offered}.")
    return value


def _count(name: str, text: str, *, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise OptionError(f"{name}='{text}': use a whole number from {least} on.")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise OptionError(f"{name}='{text}': use true or false.")
    return text.lower() == "true"
