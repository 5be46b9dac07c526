"""Whether a resolved manifest can be a dataset, with messages in Rekognition's words, and a summary of its rejected lines."""

from itertools import islice

from twofold.manifest.index.resolve import Resolution
from twofold.quotas import ServiceQuotas

LINES_PER_REJECTED_LINE = 5
"""The operation fails if more than one line in so many is rejected."""

MULTIPLE_BUCKETS = "The manifest file contains images from multiple S3 buckets."

_MAX_DETAILS = 3


def find_refusal(resolution: Resolution, limits: ServiceQuotas) -> str | None:
    """Return why the manifest cannot be a dataset, as a message for the user, or None if it can."""
    reason = describe_excess_rejections(resolution)
    if reason:
        return reason
    if resolution.lines > limits.manifest_lines:
        return "The manifest file has too many rows."
    if resolution.index.compute_stats().total_labels > limits.labels:
        return "The manifest file has too many labels."
    if len(resolution.buckets) > 1:
        return describe_buckets(resolution)
    return None


def describe_buckets(resolution: Resolution) -> str:
    """Return the message for images in several buckets; it names two buckets and a line for each."""
    (bucket, line), (other, other_line) = resolution.buckets[:2]
    return (
        f"{MULTIPLE_BUCKETS} The image of line {line + resolution.first_line} is in the bucket {bucket}, "
        f"that of line {other_line + resolution.first_line} in {other}."
    )


def describe_excess_rejections(resolution: Resolution) -> str | None:
    """Return the message for too many rejected lines, or None."""
    if resolution.rejected * LINES_PER_REJECTED_LINE <= resolution.lines:
        return None
    return f"The manifest file has too many terminal errors. {describe_rejections(resolution)}"


def describe_rejections(resolution: Resolution) -> str:
    """Return the number of rejected lines, and the first three with their reasons, for a StatusMessage."""
    lines = "line was" if resolution.lines == 1 else "lines were"
    first_lines = islice(resolution.iterate_rejected_lines(), _MAX_DETAILS)
    reasons = (f"line {line.line}: {line.reason} {line.detail}".strip() for line in first_lines)
    return f"{resolution.rejected} of {resolution.lines} {lines} dropped: {' '.join(reasons)}"
