"""Totals: Twofold's own, or exactly what Rekognition documents (General Reference, Custom Labels guidelines and quotas)."""

from dataclasses import dataclass

from twofold.settings import Quotas


@dataclass(frozen=True, slots=True)
class Limits:
    """`operations`: under way at a time. `calls_per_second`: of each operation but those for tags; None is no limit."""

    projects: int
    manifest_bytes: int
    manifest_lines: int
    labels: int
    operations: int
    calls_per_second: int | None = None


_OPERATIONS = 1_000
"""Rekognition has such a limit (LimitExceededException) and does not publish it."""

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
        calls_per_second=5,
    ),
}


def limits(quotas: str) -> Limits:
    """Raises ValueError for a profile that there is not."""
    return _LIMITS[Quotas(quotas)]
