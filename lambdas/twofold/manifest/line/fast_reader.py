"""Read lines similar to earlier lines, in a fraction of the time of the rules.

The lines of a manifest usually come from a single tool and have the same keys in the same places. The rules (`document`,
`attributes`, `boxes`) read the first lines. From these lines the reader learns which decoders (`fast_decoders`) accept such
lines. A decoder accepts only lines without errors; the rules read all others. For an accepted line the rules would give the
same result.

msgspec does not report repeated keys. But a line has at least two quotation marks for each string of the document.
So a line with exactly that many marks has no repeated key, and neither has any of several lines if the sum of their marks is
exact, since no line can have fewer. A backslash may escape a quotation mark: lines with a backslash are left to the rules.
"""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from twofold.manifest.line.document import Document
from twofold.manifest.line.fast_decoders import (
    DecodeLine,
    FastEntry,
    build_box_decoder,
    decode_class_line,
    infer_schema,
)
from twofold.manifest.line.limits import MAX_LINE_CHARACTERS

MAX_DECODERS = 4
MAX_SAMPLES = 64

_get_strings = attrgetter("strings")


class FastReader:
    """Decoders for the lines of one range; most lines are for the first decoder."""

    def __init__(self) -> None:
        self._decoders: list[DecodeLine] = []
        self._samples_left = MAX_SAMPLES

    def learn(self, line: bytes, document: Document) -> None:
        """Learn from a line without errors after `read_lines` refused the line."""
        if not self._samples_left or len(self._decoders) == MAX_DECODERS or b"\\" in line:
            return
        self._samples_left -= 1
        schema = infer_schema(document)
        decoder = build_box_decoder(schema) if schema else decode_class_line
        if decoder not in self._decoders and _try_decode(decoder, line):
            self._decoders.append(decoder)

    def read_lines(self, lines: Sequence[bytes]) -> list[FastEntry | None]:
        """Return the entry of each line, or None for a line for the rules."""
        if not self._decoders or max(map(len, lines)) > MAX_LINE_CHARACTERS:
            return [None] * len(lines)
        entries = self._decode_lines(lines)
        if not _is_free_of_repeated_keys(lines, entries):
            entries = [None] * len(lines)
        if 2 * entries.count(None) > len(lines):
            # The lines are not alike: attempts cost more than they save, so stop for this range.
            self._decoders, self._samples_left = [], 0
        return entries

    def _decode_lines(self, lines: Sequence[bytes]) -> list[FastEntry | None]:
        # The loop has no call per line except the first decoder: this is the hottest code of indexing.
        first, *further = self._decoders
        entries = []
        for line in lines:
            try:
                entry = first(line)
            except ValueError:
                entry = None
            if entry is None and further:
                attempts = (_try_decode(decoder, line) for decoder in further)
                entry = next(filter(None, attempts), None)
            entries.append(entry)
        return entries


def _try_decode(decoder: DecodeLine, line: bytes) -> FastEntry | None:
    try:
        return decoder(line)
    except ValueError:
        return None


def _is_free_of_repeated_keys(lines: Sequence[bytes], entries: Sequence[FastEntry | None]) -> bool:
    """Whether no decoded line has a key twice, by the number of quotation marks."""
    if not all(entries):
        lines = [line for line, entry in zip(lines, entries, strict=True) if entry]
    # NumPy counts the marks of all lines at once: much faster than a count for each line.
    text = b"".join(lines)
    marks = int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord('"')))
    strings = sum(map(_get_strings, filter(None, entries)))
    return marks == 2 * strings and b"\\" not in text
