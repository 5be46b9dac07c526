"""The lines of an update (UpdateDatasetEntries), read like a manifest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import KEPT, Resolution, join_ranges
from twofold.manifest.line.byte_ranges import OffsetLine, read_lines
from twofold.manifest.line.listing import strip_service_members

_BLANKS = b" \t\r\n"
_LEADING_BLANK_LINES = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t\r]*\n)*")


@dataclass(frozen=True)
class Changes:
    """The changed lines without members added by the service, each with a newline, and the resolution of these lines."""

    text: bytes
    resolution: Resolution

    @cached_property
    def lines(self) -> list[bytes]:
        """The accepted lines, in the order of the index."""
        return self._slice_lines(self.resolution.side == KEPT)

    def format_rejected_lines(self) -> bytes:
        return b"".join(line + b"\n" for line in self._slice_lines(self.resolution.side != KEPT))

    def _slice_lines(self, mask: NDArray[np.bool_]) -> list[bytes]:
        starts, lengths = self.resolution.start[mask], self.resolution.length[mask]
        spans = zip(starts.tolist(), lengths.tolist(), strict=True)
        return [self.text[start : start + length] for start, length in spans]


def read_changes(payload: bytes) -> Changes:
    """Read the body of an update. Members added by listing are removed first."""
    text = bytearray()
    payload, first_line = _trim_blank_lines(payload)

    def strip_lines() -> Iterator[OffsetLine]:
        """Append each line to `text`, and yield the new offset; an oversized line is None."""
        for _, line in read_lines([payload], 0, len(payload)):
            start, plain = len(text), strip_service_members(line) if line is not None else None
            text.extend(plain or b"")
            text.extend(b"\n")
            yield start, plain

    range_index = index_lines(strip_lines())
    # `index_lines` has read all lines, so that `text` is complete.
    resolution = join_ranges([range_index], make_line_reader(text))
    return Changes(bytes(text), replace(resolution, first_line=first_line))


def _trim_blank_lines(payload: bytes) -> tuple[bytes, int]:
    """Return the text without blank lines at both ends, and the number of the first remaining line.

    A text of nothing but blank lines is returned unchanged.
    """
    start = _LEADING_BLANK_LINES.match(payload).end()  # type: ignore[union-attr]
    end = len(payload.rstrip(_BLANKS))
    if start >= end:
        return payload, 1
    last = payload.find(b"\n", end)
    return payload[start : last + 1 or None], 1 + payload.count(b"\n", 0, start)
