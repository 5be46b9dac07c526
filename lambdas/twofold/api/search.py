"""Finding the entries that a filter lets through, at the cost of what a page needs.

What the index knows is answered from it, a window of entries at a time. What it does not (the text of a `source-ref`, and
labels where there are very many different sets of them) is answered from the lines of the entries that are left. Both
are bounded for one call, so that a page comes in a few seconds, short or empty, rather than too late.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from twofold.manifest.index import HAS_ERRORS, LABELED
from twofold.manifest.lines import Entry, read_entry
from twofold.stores.contents import StoredContents

FIRST_WINDOW = 1 << 17
LAST_WINDOW = 1 << 22
MAX_SCANNED_ENTRIES = 1 << 25
"""Entries of the index that one call looks at: 160 MB at the most."""

FIRST_LINE_WINDOW = 1 << 12
BATCH_BYTES = 4 << 20
MAX_READ_BYTES = 48 << 20
"""Bytes of lines that one call looks at."""

MAX_SETS_BYTES = 16 << 20
"""Above this size the table of label sets is not read; labels are then looked for in the lines."""


class Filter(NamedTuple):
    """All conditions must hold; `labels` () and `labeled`, `source_ref` None are none, as is `has_errors` False."""

    labels: tuple[str, ...] = ()
    labeled: bool | None = None
    source_ref: str | None = None
    has_errors: bool = False


@dataclass(slots=True)
class Found:
    """Entries, by number and line, and the number of the first entry that has not been looked at."""

    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    after: int = 0


class Search:
    def __init__(self, contents: StoredContents, wanted: Filter) -> None:
        self._contents = contents
        self._wanted = wanted
        self._sets = self._sets_wanted()
        self._reads = wanted.source_ref is not None or (bool(wanted.labels) and self._sets is None)

    def page(self, first: int, limit: int) -> Found:
        """Up to `limit` entries from number `first` on."""
        found = Found(after=first)
        if self._sets is not None and not self._sets.any():
            found.after = self._contents.entries
            return found
        if self._reads:
            self._search_lines(found, limit)
        else:
            self._search_index(found, limit)
            found.lines = self._contents.lines(np.array(found.numbers, np.int64))
        return found

    def _search_index(self, found: Found, limit: int) -> None:
        window = limit if self._wanted == Filter() else FIRST_WINDOW
        last = found.after + MAX_SCANNED_ENTRIES
        while len(found.numbers) < limit and found.after < min(self._contents.entries, last):
            numbers = self._candidates(found.after, window)
            room = limit - len(found.numbers)
            found.numbers += numbers[:room].tolist()
            found.after = self._after(found.after, window)
            if numbers.size > room:
                found.after = found.numbers[-1] + 1
            window = min(window * 4, LAST_WINDOW)

    def _search_lines(self, found: Found, limit: int) -> None:
        window, budget = FIRST_LINE_WINDOW, MAX_READ_BYTES
        last = found.after + MAX_SCANNED_ENTRIES
        while budget > 0 and found.after < min(self._contents.entries, last):
            numbers = self._candidates(found.after, window)
            end = self._after(found.after, window)
            while numbers.size and budget > 0:
                batch, size = self._batch(numbers)
                self._match(found, batch, limit)
                if len(found.numbers) == limit:
                    return
                budget -= size
                numbers = numbers[batch.size :]
                found.after = int(batch[-1]) + 1
            if not numbers.size:
                found.after = end
            window = min(window * 4, LAST_WINDOW)

    def _after(self, first: int, window: int) -> int:
        return min(first + window, self._contents.entries)

    def _batch(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """The first of the entries, about BATCH_BYTES of them, and their bytes."""
        ends = np.cumsum(self._contents.lengths(numbers), dtype=np.int64)
        count = max(1, int(np.searchsorted(ends, BATCH_BYTES, side="right")))
        return numbers[:count], int(ends[count - 1])

    def _match(self, found: Found, numbers: NDArray[np.int64], limit: int) -> None:
        for number, line in zip(numbers.tolist(), self._contents.lines(numbers), strict=True):
            if self._line_matches(line):
                found.numbers.append(number)
                found.lines.append(line)
                found.after = number + 1
                if len(found.numbers) == limit:
                    return

    def _line_matches(self, line: bytes) -> bool:
        text = self._wanted.source_ref
        if text is not None and not _source_ref_contains(line, text):
            return False
        if self._sets is not None or not self._wanted.labels:
            return True
        entry = read_entry(line)
        return isinstance(entry, Entry) and not set(self._wanted.labels).isdisjoint(entry.labels)

    def _candidates(self, first: int, window: int) -> NDArray[np.int64]:
        """Of `window` entries from number `first` on, those that the index lets through."""
        count = self._after(first, window) - first
        chosen = np.ones(count, np.bool_)
        wanted = self._wanted
        if wanted.labeled is not None or wanted.has_errors:
            flags = self._contents.column("flags", first, count)
            if wanted.labeled is not None:
                chosen &= ((flags & LABELED) > 0) == wanted.labeled
            if wanted.has_errors:
                chosen &= (flags & HAS_ERRORS) > 0
        if self._sets is not None:
            chosen &= self._sets[self._contents.column("label_set", first, count)]
        return np.flatnonzero(chosen) + first

    def _sets_wanted(self) -> NDArray[np.bool_] | None:
        """Which label sets have one of the labels; None if no labels are asked for, or the sets are too many."""
        if not self._wanted.labels:
            return None
        labels = np.isin(np.array(self._contents.names, object), self._wanted.labels)
        if not labels.any():
            return np.zeros(1, np.bool_)
        if self._contents.size("set_offsets", "set_labels") > MAX_SETS_BYTES:
            return None
        return _sets_with(
            labels, self._contents.column("set_offsets"), self._contents.column("set_labels")
        )


def _sets_with(
    labels: NDArray[np.bool_], offsets: NDArray[Any], members: NDArray[Any]
) -> NDArray[np.bool_]:
    hits = np.concatenate(([0], np.cumsum(labels[members])))
    with_hits: NDArray[np.bool_] = hits[offsets[1:]] > hits[offsets[:-1]]
    return with_hits


def _source_ref_contains(line: bytes, text: str) -> bool:
    """Most lines are told by their bytes; escapes, and the text elsewhere in the line, need the parser."""
    if text.encode() not in line and b"\\" not in line:
        return False
    return text in orjson.loads(line)["source-ref"]
