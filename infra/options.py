"""Options of a deployment, parsed from CDK context."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from twofold.access import PRINCIPAL, Access, Guard
from twofold.settings import PRODUCT, RETENTION_DAYS, SOLVER_MEMORY_MB, LogLevel, QuotaProfile

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,19}")
ANY_BUCKET = "*"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_MAX_ADMINISTRATORS = 10
"""The environment variables of a function are limited to 4 KB in total."""

_MIN_WAF_RATE = 10

_MAX_WORKERS = 1_000
"""Lambda adds 1,000 concurrent executions per function in 10 seconds; more workers would begin throttled."""

_MIN_SOLVER_MEMORY_MB = 512
_MAX_SOLVER_MEMORY_MB = 10_240
"""Lambda's limit."""

# Retention periods of CloudWatch Logs.
_LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)

Choice = TypeVar("Choice", bound=StrEnum)


class OptionError(ValueError):
    """An invalid option; the message names the option and the allowed values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    stage               part of the stack's name and of every fixed resource name
    source_buckets      buckets of source manifests, besides the folder sources/ of the stack's bucket; * allows every
                        bucket of the stack's account
    source_keys         ARNs of the KMS keys of these buckets; empty: every key of the stack's account with a key policy
                        that delegates access to IAM
    kms_key             ARN of the KMS key for the stack's bucket and table; empty: AWS owned keys
    quotas              limits of projects, datasets and calls: Twofold's or Rekognition's
    retention_days      days between the release of contents by their last dataset and their deletion
    solver_memory_mb    memory of Resolve, Select and Merge, which hold a whole index; docs/performance.md has the sizes
    workers             concurrent shards of an operation: MaxConcurrency of each Distributed Map
    throttle_rate       steady-state requests per second of all callers
    throttle_burst      concurrent requests of all callers
    guard               owner: projects, datasets and source folders belong to a principal; none: shared by all callers
    administrators      ARNs of the roles and users that may use every project despite the guard
    caller_rate         requests per second and caller; 0: unlimited
    waf_rate            requests per IP address in five minutes, limited by a web ACL; 0: no web ACL
    alarm_email         address subscribed to the alarm topic; empty: no subscription
    log_level           lowest logged level: DEBUG, INFO, WARNING or ERROR; metrics are published at every level
    log_retention_days  retention of log groups, in days
    api_metrics         whether API Gateway publishes metrics per method, at extra cost; no alarm and no dashboard uses these
    dashboard           whether the stack has a dashboard
    termination_protection  whether CloudFormation refuses to delete the stack
    """

    stage: str = "prod"
    source_buckets: tuple[str, ...] = ()
    source_keys: tuple[str, ...] = ()
    kms_key: str = ""
    quotas: QuotaProfile = QuotaProfile.TWOFOLD
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
    def from_context(cls, context: Callable[[str], object]) -> "Options":
        """Parse and validate all options; `context` returns the value of a key or None. Raises OptionError."""

        def read_count(name: str) -> int:
            value, default = context(name), int(getattr(cls(), name))
            if value is None:
                return default
            return _parse_count(name, str(value), minimum=min(default, 1))

        def read_switch(name: str) -> bool:
            value = context(name)
            return bool(getattr(cls(), name)) if value is None else _parse_switch(name, str(value))

        return cls(
            stage=_parse_stage(str(context("stage") or cls().stage)),
            source_buckets=_parse_buckets(str(context("source_buckets") or "")),
            source_keys=_parse_keys("source_keys", str(context("source_keys") or "")),
            kms_key=_parse_key(str(context("kms_key") or "")),
            quotas=_parse_choice("quotas", str(context("quotas") or cls().quotas), QuotaProfile),
            retention_days=read_count("retention_days"),
            solver_memory_mb=_check_solver_memory(read_count("solver_memory_mb")),
            workers=_check_workers(read_count("workers")),
            throttle_rate=read_count("throttle_rate"),
            throttle_burst=read_count("throttle_burst"),
            guard=_parse_choice("guard", str(context("guard") or cls().guard), Guard),
            administrators=_parse_administrators(str(context("administrators") or "")),
            caller_rate=read_count("caller_rate"),
            waf_rate=_check_waf_rate(read_count("waf_rate")),
            alarm_email=_check_address(str(context("alarm_email") or "")),
            log_level=_parse_choice(
                "log_level", str(context("log_level") or cls().log_level), LogLevel
            ),
            log_retention_days=_check_log_days(read_count("log_retention_days")),
            api_metrics=read_switch("api_metrics"),
            dashboard=read_switch("dashboard"),
            termination_protection=read_switch("termination_protection"),
        )

    @property
    def access(self) -> Access:
        """The options that the API function reads from its environment."""
        return Access(self.guard, self.administrators, self.caller_rate)

    @property
    def counts_calls(self) -> bool:
        return self.quotas is QuotaProfile.REKOGNITION or self.caller_rate > 0


def parse_pairs(arguments: Iterable[str]) -> dict[str, str]:
    """Split `option=value` arguments at the first `=`; raises OptionError for an unknown option."""
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in Options.__dataclass_fields__:
            names = ", ".join(Options.__dataclass_fields__)
            raise OptionError(f"'{argument}': give options as key=value, with a key of {names}.")
        pairs[key] = value
    return pairs


def format_stack_name(stage: str) -> str:
    return f"{PRODUCT.capitalize()}-{stage}"


def _parse_stage(value: str) -> str:
    if not _STAGE.fullmatch(value):
        raise OptionError(
            f"stage='{value}': use up to 20 lower-case letters, digits and hyphens, a letter first."
        )
    return value


def _split_list(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _parse_buckets(value: str) -> tuple[str, ...]:
    for name in _split_list(value):
        if name != ANY_BUCKET and not _BUCKET.fullmatch(name):
            raise OptionError(f"source_buckets: '{name}' is not the name of a bucket.")
    return (ANY_BUCKET,) if ANY_BUCKET in _split_list(value) else _split_list(value)


def _parse_keys(name: str, value: str) -> tuple[str, ...]:
    return _parse_arns(name, value, _KEY, "a KMS key (arn:aws:kms:<region>:<account>:key/<id>)")


def _parse_arns(
    name: str, value: str, pattern: re.Pattern[str], description: str
) -> tuple[str, ...]:
    for arn in _split_list(value):
        if not pattern.fullmatch(arn):
            raise OptionError(f"{name}: '{arn}' is not the ARN of {description}.")
    return _split_list(value)


def _parse_key(value: str) -> str:
    arns = _parse_keys("kms_key", value)
    if len(arns) > 1:
        raise OptionError(f"kms_key='{value}': give one key.")
    return arns[0] if arns else ""


def _parse_administrators(value: str) -> tuple[str, ...]:
    arns = _parse_arns(
        "administrators", value, PRINCIPAL, "a role or user (arn:aws:iam::<account>:role/<name>)"
    )
    if len(arns) > _MAX_ADMINISTRATORS:
        raise OptionError(f"administrators: give up to {_MAX_ADMINISTRATORS}, not {len(arns)}.")
    return arns


def _check_solver_memory(value: int) -> int:
    if not _MIN_SOLVER_MEMORY_MB <= value <= _MAX_SOLVER_MEMORY_MB:
        raise OptionError(
            f"solver_memory_mb='{value}': use {_MIN_SOLVER_MEMORY_MB:,} to {_MAX_SOLVER_MEMORY_MB:,}; "
            f"accounts without a raised quota allow {SOLVER_MEMORY_MB:,}."
        )
    return value


def _check_workers(value: int) -> int:
    if value > _MAX_WORKERS:
        raise OptionError(f"workers='{value}': use 1 to {_MAX_WORKERS:,}.")
    return value


def _check_waf_rate(value: int) -> int:
    if value and value < _MIN_WAF_RATE:
        raise OptionError(f"waf_rate='{value}': WAF takes {_MIN_WAF_RATE} and more.")
    return value


def _check_address(value: str) -> str:
    if value and not _ADDRESS.fullmatch(value):
        raise OptionError(f"alarm_email='{value}': use one e-mail address.")
    return value


def _parse_choice(name: str, value: str, choices: type[Choice]) -> Choice:
    if value not in list(choices):
        raise OptionError(f"{name}='{value}': choose one of {', '.join(choices)}.")
    return choices(value)


def _check_log_days(value: int) -> int:
    if value not in _LOG_DAYS:
        offered = ", ".join(map(str, _LOG_DAYS))
        raise OptionError(f"log_retention_days='{value}': CloudWatch offers {offered}.")
    return value


def _parse_count(name: str, text: str, *, minimum: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < minimum:
        raise OptionError(f"{name}='{text}': use a whole number from {minimum} on.")
    return int(text)


def _parse_switch(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise OptionError(f"{name}='{text}': use true or false.")
    return text.lower() == "true"
