"""Service quotas: Twofold's own, or Rekognition's documented quotas (Custom Labels guidelines and quotas)."""

from dataclasses import dataclass

from twofold.settings import QuotaProfile


@dataclass(frozen=True, slots=True)
class ServiceQuotas:
    """Quotas of a deployment.

    operations         operations in progress at the same time
    calls_per_second   of each operation, except the operations for tags; None is no limit
    """

    projects: int
    manifest_bytes: int
    manifest_lines: int
    labels: int
    operations: int
    calls_per_second: int | None = None


_OPERATIONS = 1_000
"""Rekognition has a limit (LimitExceededException) and does not publish its value."""

_QUOTAS = {
    QuotaProfile.TWOFOLD: ServiceQuotas(
        projects=10_000,
        manifest_bytes=100 << 30,
        manifest_lines=100_000_000,
        labels=100_000,
        operations=_OPERATIONS,
    ),
    QuotaProfile.REKOGNITION: ServiceQuotas(
        projects=100,
        manifest_bytes=1 << 30,
        manifest_lines=250_000,
        labels=250,
        operations=_OPERATIONS,
        calls_per_second=5,
    ),
}


def get_quotas(profile: str) -> ServiceQuotas:
    """Return the quotas of a `QuotaProfile`. Raises ValueError for an unknown profile."""
    return _QUOTAS[QuotaProfile(profile)]
