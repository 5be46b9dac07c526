"""Lines like one that was read before, in a fraction of the time that the rules take.

The lines of a manifest come from one tool: they have the same keys in the same places. The rules (`document`, `attributes`,
`boxes`) read the first of them, and from these it is learned which readers (`forms`) take such lines. A reader takes lines
without a fault and leaves every other to the rules. What it takes, the rules would have read alike; the rest says nothing.

Parsing does not see a key that appears twice. But every string of what was parsed stands in the line, so a line that has no
more quotation marks than its strings need has lost none; nor has any of many lines whose sum is right, for none can have fewer.
A backslash may hide a quotation mark, so lines with one are left.
"""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from twofold.manifest.document import MAX_LINE_CHARACTERS, Document
from twofold.manifest.forms import Known, Read, box_reader, form_of, read_classes

MAX_SHAPES = 4
MAX_LESSONS = 64

_strings_of = itemgetter(3)


class Shapes:
    """The readers for the lines of one range; most lines are for the first."""

    def __init__(self) -> None:
        self._reads: list[Read] = []
        self._lessons = MAX_LESSONS

    def learn(self, line: bytes, document: Document) -> None:
        """From a line in which the rules found no fault, after `read` left it."""
        if not self._lessons or len(self._reads) == MAX_SHAPES or b"\\" in line:
            return
        self._lessons -= 1
        form = form_of(document)
        read = box_reader(form) if form else read_classes
        if read not in self._reads and _attempt(read, line):
            self._reads.append(read)

    def read(self, lines: Sequence[bytes]) -> list[Known | None]:
        """What is known of each line, or None where the rules must read it."""
        if not self._reads or max(map(len, lines)) > MAX_LINE_CHARACTERS:
            return [None] * len(lines)
        found = self._found(lines)
        if not _are_proven(lines, found):
            found = [None] * len(lines)
        if 2 * found.count(None) > len(lines):
            # They are not alike: attempts cost more than they save.
            self._reads, self._lessons = [], 0
        return found

    def _found(self, lines: Sequence[bytes]) -> list[Known | None]:
        first, *others = self._reads
        found = []
        for line in lines:
            try:
                known = first(line)
            except ValueError:
                known = None
            if known is None and others:
                known = next(filter(None, (_attempt(read, line) for read in others)), None)
            found.append(known)
        return found


def _attempt(read: Read, line: bytes) -> Known | None:
    try:
        return read(line)
    except ValueError:
        return None


def _are_proven(lines: Sequence[bytes], found: Sequence[Known | None]) -> bool:
    """Whether none of the lines that were taken has a key twice."""
    if not all(found):
        lines = [line for line, known in zip(lines, found, strict=True) if known]
    text = b"".join(lines)
    marks = int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord('"')))
    strings = sum(map(_strings_of, filter(None, found)))
    return marks == 2 * strings and b"\\" not in text
