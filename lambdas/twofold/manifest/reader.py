"""Lines of a byte range of a manifest, without holding the range in memory.

Ranges are cut without looking at the data: a range owns the lines that *start* in it, reads on past its end to finish the
last one, and skips the line that began before it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

from twofold.manifest.document import BYTE_ORDER_MARK
from twofold.manifest.lines import MAX_LINE_CHARACTERS

MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS
_FRAME_BYTES = len(BYTE_ORDER_MARK) + len(b"\r")
"""Of a line, which do not count: a mark before it and a carriage return behind it."""

Line = tuple[int, bytes | None]


class Batch(NamedTuple):
    """Consecutive lines without their terminators, and where in the file each begins. A line that is too long is None."""

    starts: Sequence[int]
    lines: Sequence[bytes | None]


def ranges(size: int, span: int) -> list[tuple[int, int]]:
    """Cuts `size` bytes into ranges [start, end) of about `span` bytes, none smaller than half of it unless it is alone."""
    count = max(1, round(size / span))
    cuts = [size * i // count for i in range(count + 1)]
    return list(pairwise(cuts))


def lines_of_range(chunks: Iterable[bytes], start: int, end: int) -> Iterator[Line]:
    """The lines of `batches_of_range` one by one, as (offset in the file, line without its terminator)."""
    for batch in batches_of_range(chunks, start, end):
        yield from zip(batch.starts, batch.lines, strict=True)


def batches_of_range(chunks: Iterable[bytes], start: int, end: int) -> Iterator[Batch]:
    """The lines that start in [start, end), those that end in one chunk together.

    `chunks` are the bytes from `start - 1` (from 0 if `start` is 0) onwards, past `end` as far as asked for. Terminators are
    `\\n` and `\\r\\n`; a byte order mark at the start of the file is dropped. A line over MAX_LINE_BYTES comes as None.

    Asks for no chunk that it does not need: it stops as soon as the next line starts at `end` or later, and at `end` if the
    line that goes on there began before `start` or has proved too long.
    """
    position, carry, skipped = max(start - 1, 0), b"", 0
    for chunk in chunks:
        data = carry + chunk
        lines: list[bytes] = data.split(b"\n")
        carry = lines.pop()
        if lines:
            starts = list(accumulate([len(line) + 1 for line in lines], initial=position + skipped))
            starts[0], position = position, starts.pop()
            readable = _readable(lines, skipped, b"\r" in data, first=starts[0] == 0)
            yield from _within(start, end, starts, readable)
            skipped = 0
        if len(carry) > MAX_LINE_BYTES + _FRAME_BYTES:
            skipped, carry = skipped + len(carry), b""
        dispensable = skipped or position < start
        if position >= end or (dispensable and position + skipped + len(carry) >= end):
            break
    if carry or skipped:
        readable = _readable([carry], skipped, True, first=position == 0)
        yield from _within(start, end, [position], readable)


def split_opening(batches: Iterable[Batch], lines: int) -> Iterator[Batch]:
    """The same lines, the first so many in a batch of their own."""
    batches = iter(batches)
    for starts, first in islice(batches, 1):
        yield Batch(starts[:lines], first[:lines])
        if len(first) > lines:
            yield Batch(starts[lines:], first[lines:])
    yield from batches


def _readable(
    lines: list[bytes], skipped: int, returns: bool, *, first: bool
) -> Sequence[bytes | None]:
    """The lines without carriage returns at their ends, None for one that is too long. The first has lost `skipped` bytes,
    and begins the file if `first`: a byte order mark does not count there."""
    if not returns and not skipped and max(map(len, lines)) <= MAX_LINE_BYTES:
        return lines
    mark = len(BYTE_ORDER_MARK) if first and lines[0].startswith(BYTE_ORDER_MARK) else 0
    opening = None if skipped else _limited(lines[0], MAX_LINE_BYTES + mark)
    return [opening, *(_limited(line, MAX_LINE_BYTES) for line in lines[1:])]


def _limited(line: bytes, limit: int) -> bytes | None:
    line = line.removesuffix(b"\r")
    return None if len(line) > limit else line


def _within(
    start: int, end: int, starts: list[int], lines: Sequence[bytes | None]
) -> Iterator[Batch]:
    """Those that start in [start, end), if any."""
    first, last = bisect_left(starts, start), bisect_left(starts, end)
    if first == last:
        return
    if first > 0 or last < len(starts):
        starts, lines = starts[first:last], lines[first:last]
    opening = lines[0]
    if starts[0] == 0 and opening is not None and opening.startswith(BYTE_ORDER_MARK):
        starts[0] = len(BYTE_ORDER_MARK)
        lines = [opening[len(BYTE_ORDER_MARK) :], *lines[1:]]
    yield Batch(starts, lines)
