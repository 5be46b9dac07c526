"""What can be chosen at deployment, read from CDK context."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twofold.settings import RETENTION_DAYS, Quotas

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,19}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class OptionError(ValueError):
    """A context value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    stage           names the stack and everything with a fixed name in it
    source_buckets  buckets that manifests may be read from; empty: every bucket of the stack's own account
    quotas          the totals that apply
    retention_days  how long contents are kept that no dataset points to any more
    throttle_rate   requests a second, steadily, over all callers
    throttle_burst  requests at once
    """

    stage: str = "prod"
    source_buckets: tuple[str, ...] = ()
    quotas: Quotas = Quotas.TWOFOLD
    retention_days: int = RETENTION_DAYS
    throttle_rate: int = 50
    throttle_burst: int = 100

    @classmethod
    def of(cls, context: Callable[[str], object]) -> "Options":
        """`context` gives the value of a key or None; raises OptionError."""
        return cls(
            stage=_stage(str(context("stage") or cls().stage)),
            source_buckets=_buckets(str(context("source_buckets") or "")),
            quotas=_quotas(str(context("quotas") or cls().quotas)),
            retention_days=_count(
                "retention_days", context("retention_days"), cls().retention_days
            ),
            throttle_rate=_count("throttle_rate", context("throttle_rate"), cls().throttle_rate),
            throttle_burst=_count(
                "throttle_burst", context("throttle_burst"), cls().throttle_burst
            ),
        )


def _stage(value: str) -> str:
    if not _STAGE.fullmatch(value):
        raise OptionError(
            f"stage='{value}': use up to 20 lower-case letters, digits and hyphens, a letter first."
        )
    return value


def _buckets(value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        if not _BUCKET.fullmatch(name):
            raise OptionError(f"source_buckets: '{name}' is not the name of a bucket.")
    return names


def _quotas(value: str) -> Quotas:
    if value not in list(Quotas):
        raise OptionError(f"quotas='{value}': choose one of {', '.join(Quotas)}.")
    return Quotas(value)


def _count(name: str, value: object, default: int) -> int:
    if value is None:
        return default
    text = str(value)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise OptionError(f"{name}='{text}': use a whole number above zero.")
    return int(text)
