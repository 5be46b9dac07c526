"""One line of a manifest is one image: reading it into an entry, and writing it as ListDatasetEntries returns it.

The rules are Rekognition Custom Labels' (developer guide, "Creating a manifest file" and "Non-terminal errors"):
`document` decides whether a line is an entry, `attributes` and `boxes` what it says, `listing` how it is told.
"""

from dataclasses import dataclass

from twofold.manifest.attributes import examine
from twofold.manifest.document import (
    MAX_LINE_CHARACTERS,
    Rejection,
    RejectionReason,
    parse,
    source_bucket,
)
from twofold.manifest.listing import list_entry, strip_annotations

__all__ = [
    "MAX_LINE_CHARACTERS",
    "Entry",
    "Rejection",
    "RejectionReason",
    "list_entry",
    "read_entry",
    "source_bucket",
    "strip_annotations",
]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index keeps of a line.

    `labels` are distinct, in order of appearance; `boxes`, aligned with them, is each one's number of sound boxes, at most
    50 together, and 0 for a label of the whole image. A labelled entry in error may have no labels.
    """

    source_ref: str
    labels: tuple[str, ...]
    boxes: tuple[int, ...]
    labeled: bool
    has_errors: bool


def read_entry(line: bytes) -> Entry | Rejection:
    """Reads a line without its terminator; white space around it does not matter. Never raises."""
    document = parse(line)
    if isinstance(document, Rejection):
        return document
    findings = examine(document)
    labels = findings.labels
    return Entry(
        document["source-ref"],
        tuple(labels),
        tuple(labels.values()),
        findings.labeled,
        bool(findings.faults),
    )
