"""Lines that are no entries: when they are too many, and how the others are told of."""

import json
from itertools import islice

from twofold.errors import OperationRefused
from twofold.manifest.resolve import Resolution

MAX_REASONS = 100_000
DROPPED_LINES_PER_LINE = 5
"""More than one dropped line in so many fails the operation."""


def refuse_too_many(resolution: Resolution) -> None:
    """Raises OperationRefused with Rekognition's message and the first reasons."""
    if resolution.rejected * DROPPED_LINES_PER_LINE > resolution.lines:
        raise OperationRefused(
            f"The manifest file has too many terminal errors. {_dropped(resolution)}: {_first(resolution)}"
        )


def told(message: str, resolution: Resolution) -> str:
    """A StatusMessage, with the dropped lines if there are any."""
    if not resolution.rejected:
        return message
    return f"{message} {_dropped(resolution)}: {_first(resolution)}"


def reasons(resolution: Resolution) -> bytes:
    """JSON Lines: `line`, `reason`, `detail` of each dropped line, MAX_REASONS at most."""
    lines = (
        {"line": line.line, "reason": line.reason.value, "detail": line.detail}
        for line in islice(resolution.rejected_lines(), MAX_REASONS)
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _dropped(resolution: Resolution) -> str:
    lines = "line was" if resolution.lines == 1 else "lines were"
    return f"{resolution.rejected} of {resolution.lines} {lines} dropped"


def _first(resolution: Resolution) -> str:
    """The first three, for a StatusMessage."""
    first = islice(resolution.rejected_lines(), 3)
    return " ".join(f"line {line.line}: {line.reason} {line.detail}".strip() for line in first)
