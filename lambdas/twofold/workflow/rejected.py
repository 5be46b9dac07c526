"""Rejected lines of a manifest or an update: limits and reports."""

import json
from itertools import islice

from twofold.errors import OperationRefused
from twofold.manifest.index.acceptance import describe_excess_rejections, describe_rejections
from twofold.manifest.index.resolve import Resolution

MAX_REASONS = 100_000


def require_few_rejections(resolution: Resolution) -> None:
    """Raises OperationRefused with Rekognition's message and the first reasons."""
    reason = describe_excess_rejections(resolution)
    if reason:
        raise OperationRefused(reason)


def append_rejected(message: str, resolution: Resolution) -> str:
    """Return a StatusMessage with a report of the rejected lines, if any."""
    if not resolution.rejected:
        return message
    return f"{message} {describe_rejections(resolution)}"


def format_reasons(resolution: Resolution) -> bytes:
    """Return JSON Lines with `line`, `reason` and `detail` of the first MAX_REASONS rejected lines."""
    lines = (
        {"line": line.line, "reason": line.reason.value, "detail": line.detail}
        for line in islice(resolution.iterate_rejected_lines(), MAX_REASONS)
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
