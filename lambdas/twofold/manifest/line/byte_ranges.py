"""Read the lines of a byte range of a manifest, without the whole range in memory.

Ranges are cut without a look at the data. A range owns the lines with a *start* in the range. The reader goes on past the end
of the range to the end of the last line, and skips a line with an earlier start.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

from twofold.manifest.line.document import BYTE_ORDER_MARK
from twofold.manifest.line.limits import MAX_LINE_BYTES

_UNCOUNTED_BYTES = len(BYTE_ORDER_MARK) + len(b"\r")
"""Bytes of a line that do not count: a byte order mark before it, a carriage return after it."""
OffsetLine = tuple[int, bytes | None]
"""The offset of a line in the file, and the line without the terminator; None for a line over MAX_LINE_BYTES."""


class LineBatch(NamedTuple):
    """Consecutive lines without terminators, and the offsets of the lines in the file. A line over MAX_LINE_BYTES is None."""

    starts: Sequence[int]
    lines: Sequence[bytes | None]


def split_into_ranges(size: int, span: int) -> list[tuple[int, int]]:
    """Split `size` bytes into ranges [start, end) of about `span` bytes; several ranges have at least half of `span` each."""
    # Equal steps: the sizes of ranges differ by at most one byte.
    count = max(1, round(size / span))
    cuts = [size * i // count for i in range(count + 1)]
    return list(pairwise(cuts))


def read_lines(chunks: Iterable[bytes], start: int, end: int) -> Iterator[OffsetLine]:
    """Yield the lines of `read_batches` one by one."""
    for batch in read_batches(chunks, start, end):
        yield from zip(batch.starts, batch.lines, strict=True)


def read_batches(chunks: Iterable[bytes], start: int, end: int) -> Iterator[LineBatch]:
    """Yield the lines with a start in [start, end); a batch has the lines of one chunk.

    `chunks` are the bytes of the file from `start - 1` (from 0 if `start` is 0), past `end` as far as needed.
    Terminators are `\\n` and `\\r\\n`. A byte order mark at the start of the file is dropped.

    Reads no unneeded chunk: stops as soon as the next line starts at `end` or later. Stops at `end` inside a line with a start
    before `start`, or a line already too long.
    """
    # `carry` is the unfinished line so far; of a line that is too long, only the number of `skipped` bytes is kept.
    position, carry, skipped = max(start - 1, 0), b"", 0
    for chunk in chunks:
        data = carry + chunk
        lines: list[bytes] = data.split(b"\n")
        carry = lines.pop()
        if lines:
            starts = list(accumulate([len(line) + 1 for line in lines], initial=position + skipped))
            # The first line began before its skipped bytes; the last sum is the start of the unfinished line.
            starts[0], position = position, starts.pop()
            finished = _strip_terminators(lines, skipped, b"\r" in data, is_first=starts[0] == 0)
            yield from _select_range(start, end, starts, finished)
            skipped = 0
        if len(carry) > MAX_LINE_BYTES + _UNCOUNTED_BYTES:
            skipped, carry = skipped + len(carry), b""
        is_unwanted = skipped or position < start
        if position >= end or (is_unwanted and position + skipped + len(carry) >= end):
            break
    # The last line of the file may have no newline.
    if carry or skipped:
        finished = _strip_terminators([carry], skipped, True, is_first=position == 0)
        yield from _select_range(start, end, [position], finished)


def split_first_batch(batches: Iterable[LineBatch], lines: int) -> Iterator[LineBatch]:
    """Yield the same lines, with the first `lines` of the first batch in a separate batch."""
    batches = iter(batches)
    for starts, first_lines in islice(batches, 1):
        yield LineBatch(starts[:lines], first_lines[:lines])
        if len(first_lines) > lines:
            yield LineBatch(starts[lines:], first_lines[lines:])
    yield from batches


def _strip_terminators(
    lines: list[bytes], skipped: int, has_returns: bool, *, is_first: bool
) -> Sequence[bytes | None]:
    """Remove carriage returns at line ends; a line that is too long becomes None.

    The first of the lines lacks `skipped` bytes. With `is_first`, a byte order mark at its start does not count.
    """
    if not has_returns and not skipped and max(map(len, lines)) <= MAX_LINE_BYTES:
        return lines
    mark = len(BYTE_ORDER_MARK) if is_first and lines[0].startswith(BYTE_ORDER_MARK) else 0
    first_line = None if skipped else _strip_terminator(lines[0], MAX_LINE_BYTES + mark)
    return [first_line, *(_strip_terminator(line, MAX_LINE_BYTES) for line in lines[1:])]


def _strip_terminator(line: bytes, limit: int) -> bytes | None:
    line = line.removesuffix(b"\r")
    return None if len(line) > limit else line


def _select_range(
    start: int, end: int, starts: list[int], lines: Sequence[bytes | None]
) -> Iterator[LineBatch]:
    """Yield the lines with a start in [start, end) as a batch, if any."""
    first, last = bisect_left(starts, start), bisect_left(starts, end)
    if first == last:
        return
    if first > 0 or last < len(starts):
        starts, lines = starts[first:last], lines[first:last]
    first_line = lines[0]
    # Only the first line of the file may have a byte order mark.
    if starts[0] == 0 and first_line is not None and first_line.startswith(BYTE_ORDER_MARK):
        starts[0] = len(BYTE_ORDER_MARK)
        lines = [first_line[len(BYTE_ORDER_MARK) :], *lines[1:]]
    yield LineBatch(starts, lines)
