"""Lines of a byte range of a manifest, without holding the range in memory.

Ranges are cut without looking at the data: a range owns the lines that *start* in it, reads on past its end to finish the
last one, and skips the line that began before it.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from twofold.manifest.lines import MAX_LINE_CHARACTERS

MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, bytes | None]


def ranges(size: int, span: int) -> list[tuple[int, int]]:
    """Cuts `size` bytes into ranges [start, end) of about `span` bytes, none smaller than half of it unless it is alone."""
    count = max(1, round(size / span))
    cuts = [size * i // count for i in range(count + 1)]
    return list(pairwise(cuts))


def lines_of_range(chunks: Iterable[bytes], start: int, end: int) -> Iterator[Line]:
    """The lines that start in [start, end), as (offset in the file, line without its terminator).

    `chunks` are the bytes from `start - 1` (from 0 if `start` is 0) onwards, past `end` as far as asked for. Terminators are
    `\\n` and `\\r\\n`; a byte order mark at the start of the file is dropped. A line over MAX_LINE_BYTES comes as None.
    """
    lines = _lines(chunks, start, end)
    for offset, line in lines:
        if offset < start:
            continue
        if offset == 0 and line is not None and line.startswith(_BYTE_ORDER_MARK):
            yield len(_BYTE_ORDER_MARK), line[len(_BYTE_ORDER_MARK) :]
        else:
            yield offset, line
        yield from lines


def _lines(chunks: Iterable[bytes], start: int, end: int) -> Iterator[Line]:
    """Every line that starts before `end`; the first may be the tail of a line.

    Asks for no chunk that it does not need: it stops as soon as the next line starts at `end` or later, and at `end` if the
    line that goes on there began before `start` or has proved too long.
    """
    position, carry, skipped = max(start - 1, 0), b"", 0
    for chunk in chunks:
        data = carry + chunk
        whole = data.split(b"\n")
        carry = whole.pop()
        ready = b"\r" not in data and not skipped
        for line in whole:
            if position >= end:
                return
            size = len(line)
            yield position, line if ready and size <= MAX_LINE_BYTES else _limited(line, skipped)
            position += skipped + size + 1
            skipped = 0
        if len(carry) > MAX_LINE_BYTES + 1:
            skipped, carry = skipped + len(carry), b""
        dispensable = skipped or position < start
        if position >= end or (dispensable and position + skipped + len(carry) >= end):
            break
    if (carry or skipped) and position < end:
        yield position, _limited(carry, skipped)


def _limited(line: bytes, skipped: int) -> bytes | None:
    line = line.removesuffix(b"\r")
    return None if skipped or len(line) > MAX_LINE_BYTES else line
