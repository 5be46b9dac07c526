"""Whether what was found in a manifest can be a dataset, in Rekognition's words; and which lines it loses."""

from itertools import islice

from twofold.manifest.resolve import Resolution
from twofold.quotas import Limits

DROPPED_LINES_PER_LINE = 5
"""More than one dropped line in so many fails the operation."""

MULTIPLE_BUCKETS = "The manifest file contains images from multiple S3 buckets."

_TOLD = 3


def refusal(resolution: Resolution, limits: Limits) -> str | None:
    """Why the manifest cannot be a dataset, as a message for the user, or None if it can."""
    reason = too_many_dropped(resolution)
    if reason:
        return reason
    if resolution.lines > limits.manifest_lines:
        return "The manifest file has too many rows."
    if resolution.index.stats().total_labels > limits.labels:
        return "The manifest file has too many labels."
    if len(resolution.buckets) > 1:
        return several_buckets(resolution)
    return None


def several_buckets(resolution: Resolution) -> str:
    """Why lines with images of several buckets are refused, with two of them."""
    (bucket, line), (other, other_line) = resolution.buckets[:2]
    return (
        f"{MULTIPLE_BUCKETS} The image of line {line + resolution.first_line} is in the bucket {bucket}, "
        f"that of line {other_line + resolution.first_line} in {other}."
    )


def too_many_dropped(resolution: Resolution) -> str | None:
    if resolution.rejected * DROPPED_LINES_PER_LINE <= resolution.lines:
        return None
    return f"The manifest file has too many terminal errors. {dropped(resolution)}"


def dropped(resolution: Resolution) -> str:
    """How many lines were dropped, and the first three with their reasons, for a StatusMessage."""
    lines = "line was" if resolution.lines == 1 else "lines were"
    first = islice(resolution.rejected_lines(), _TOLD)
    reasons = (f"line {line.line}: {line.reason} {line.detail}".strip() for line in first)
    return f"{resolution.rejected} of {resolution.lines} {lines} dropped: {' '.join(reasons)}"
