"""Totals: Twofold's own, or exactly what Rekognition documents (General Reference, Custom Labels guidelines and quotas)."""

from dataclasses import dataclass

from twofold.settings import Quotas


@dataclass(frozen=True, slots=True)
class Limits:
    projects: int
    manifest_bytes: int
    manifest_lines: int
    labels: int
    operations: int


_OPERATIONS = 1_000
"""Under way at a time. Rekognition has such a limit (LimitExceededException) and does not publish it."""

_LIMITS = {
    Quotas.TWOFOLD: Limits(
        projects=10_000,
        manifest_bytes=100 << 30,
        manifest_lines=100_000_000,
        labels=100_000,
        operations=_OPERATIONS,
    ),
    Quotas.REKOGNITION: Limits(
        projects=100,
        manifest_bytes=1 << 30,
        manifest_lines=250_000,
        labels=250,
        operations=_OPERATIONS,
    ),
}


def limits(quotas: str) -> Limits:
    """Raises ValueError for a profile that there is not."""
    return _LIMITS[Quotas(quotas)]
