"""Lines that are no entries: when they are too many, and how the others are told of."""

import json
from itertools import islice

from twofold.errors import OperationRefused
from twofold.manifest.acceptance import dropped, too_many_dropped
from twofold.manifest.resolve import Resolution

MAX_REASONS = 100_000


def refuse_too_many(resolution: Resolution) -> None:
    """Raises OperationRefused with Rekognition's message and the first reasons."""
    reason = too_many_dropped(resolution)
    if reason:
        raise OperationRefused(reason)


def told(message: str, resolution: Resolution) -> str:
    """A StatusMessage, with the dropped lines if there are any."""
    if not resolution.rejected:
        return message
    return f"{message} {dropped(resolution)}"


def reasons(resolution: Resolution) -> bytes:
    """JSON Lines: `line`, `reason`, `detail` of each dropped line, MAX_REASONS at most."""
    lines = (
        {"line": line.line, "reason": line.reason.value, "detail": line.detail}
        for line in islice(resolution.rejected_lines(), MAX_REASONS)
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
