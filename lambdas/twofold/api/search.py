"""Find the matches of a filter, reading no more of the contents than a page needs.

The index answers most conditions, window by window. Two conditions need the lines of the remaining candidates: the text of a
`source-ref`, and labels in a dataset with very many label sets. A call reads a bounded part of index and lines, so even a short
or empty page takes at most a few seconds.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from twofold.manifest.index.dataset_index import HAS_ERRORS, LABELED
from twofold.manifest.line.entry import Entry, read_entry
from twofold.stores.contents import StoredContents

# Windows grow by factors of four: small for frequent matches, large for rare ones.
FIRST_WINDOW = 1 << 17
LAST_WINDOW = 1 << 22
MAX_SCANNED_ENTRIES = 1 << 25
"""Maximum number of index entries that a call reads: 160 MB."""

FIRST_LINE_WINDOW = 1 << 12
BATCH_BYTES = 4 << 20
MAX_READ_BYTES = 48 << 20
"""Maximum number of bytes of lines that a call reads, give or take a batch."""

MAX_SETS_BYTES = 16 << 20
"""Maximum size of the label sets that a call reads; with larger ones it searches the lines for labels."""


class EntryFilter(NamedTuple):
    """The conditions of a list, joined by AND; a default value is no condition. `labels` matches entries with any of them."""

    labels: tuple[str, ...] = ()
    labeled: bool | None = None
    source_ref: str | None = None
    has_errors: bool = False


@dataclass(slots=True)
class SearchResult:
    """A page of matches: entry numbers and lines, and the number of the first entry after the searched range."""

    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    next_number: int = 0


class Search:
    """A search in the contents of a dataset."""

    def __init__(self, contents: StoredContents, entry_filter: EntryFilter) -> None:
        self._contents = contents
        self._filter = entry_filter
        self._set_mask = self._build_set_mask()
        self._needs_lines = entry_filter.source_ref is not None or (
            bool(entry_filter.labels) and self._set_mask is None
        )

    def find_page(self, first: int, limit: int) -> SearchResult:
        """Return up to `limit` matches among the entries from number `first` on."""
        result = SearchResult(next_number=first)
        if self._set_mask is not None and not self._set_mask.any():
            result.next_number = self._contents.entries
            return result
        if self._needs_lines:
            self._search_lines(result, limit)
        else:
            self._search_index(result, limit)
            result.lines = self._contents.read_lines(np.array(result.numbers, np.int64))
        return result

    def _search_index(self, result: SearchResult, limit: int) -> None:
        """Add matches to the result, for a filter on columns of the index only."""
        # Without conditions every entry matches, and a window of the page's size is enough.
        window = limit if self._filter == EntryFilter() else FIRST_WINDOW
        last = result.next_number + MAX_SCANNED_ENTRIES
        while len(result.numbers) < limit and result.next_number < min(
            self._contents.entries, last
        ):
            numbers = self._find_candidates(result.next_number, window)
            remaining = limit - len(result.numbers)
            result.numbers += numbers[:remaining].tolist()
            result.next_number = self._get_window_end(result.next_number, window)
            # A full page in the middle of a window: the next page continues after its last match.
            if numbers.size > remaining:
                result.next_number = result.numbers[-1] + 1
            window = min(window * 4, LAST_WINDOW)

    def _search_lines(self, result: SearchResult, limit: int) -> None:
        """Add matches to the result, for a filter on lines: read the lines of the index's candidates in batches."""
        window, budget = FIRST_LINE_WINDOW, MAX_READ_BYTES
        last = result.next_number + MAX_SCANNED_ENTRIES
        while budget > 0 and result.next_number < min(self._contents.entries, last):
            numbers = self._find_candidates(result.next_number, window)
            end = self._get_window_end(result.next_number, window)
            while numbers.size and budget > 0:
                batch, size = self._take_batch(numbers)
                self._match_lines(result, batch, limit)
                if len(result.numbers) == limit:
                    return
                budget -= size
                numbers = numbers[batch.size :]
                result.next_number = int(batch[-1]) + 1
            # Without candidates left, the rest of the window counts as searched.
            if not numbers.size:
                result.next_number = end
            window = min(window * 4, LAST_WINDOW)

    def _get_window_end(self, first: int, window: int) -> int:
        return min(first + window, self._contents.entries)

    def _take_batch(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """Return (entry numbers, bytes) of a batch: the first entry and the following ones up to BATCH_BYTES of lines."""
        ends = np.cumsum(self._contents.read_line_lengths(numbers), dtype=np.int64)
        count = max(1, int(np.searchsorted(ends, BATCH_BYTES, side="right")))
        return numbers[:count], int(ends[count - 1])

    def _match_lines(self, result: SearchResult, numbers: NDArray[np.int64], limit: int) -> None:
        """Read the lines of the entries and add the matches to the result, up to the limit."""
        for number, line in zip(numbers.tolist(), self._contents.read_lines(numbers), strict=True):
            if self._is_line_match(line):
                result.numbers.append(number)
                result.lines.append(line)
                result.next_number = number + 1
                if len(result.numbers) == limit:
                    return

    def _is_line_match(self, line: bytes) -> bool:
        text = self._filter.source_ref
        if text is not None and not _has_source_ref_text(line, text):
            return False
        if self._set_mask is not None or not self._filter.labels:
            return True
        entry = read_entry(line)
        return isinstance(entry, Entry) and not set(self._filter.labels).isdisjoint(entry.labels)

    def _find_candidates(self, first: int, window: int) -> NDArray[np.int64]:
        """Return the numbers of the window's entries with a match of all conditions on columns."""
        count = self._get_window_end(first, window) - first
        mask = np.ones(count, np.bool_)
        entry_filter = self._filter
        if entry_filter.labeled is not None or entry_filter.has_errors:
            flags = self._contents.read_column("flags", first, count)
            if entry_filter.labeled is not None:
                mask &= ((flags & LABELED) > 0) == entry_filter.labeled
            if entry_filter.has_errors:
                mask &= (flags & HAS_ERRORS) > 0
        if self._set_mask is not None:
            mask &= self._set_mask[self._contents.read_column("label_set", first, count)]
        return np.flatnonzero(mask) + first

    def _build_set_mask(self) -> NDArray[np.bool_] | None:
        """Return a mask over the label sets: whether a set has a label of the filter.

        None without labels in the filter or if the label sets are too large to read; a single False if no label exists.
        """
        if not self._filter.labels:
            return None
        labels = np.isin(np.array(self._contents.label_names, object), self._filter.labels)
        if not labels.any():
            return np.zeros(1, np.bool_)
        if self._contents.get_size("set_offsets", "set_labels") > MAX_SETS_BYTES:
            return None
        return _find_sets_with_labels(
            labels,
            self._contents.read_column("set_offsets"),
            self._contents.read_column("set_labels"),
        )


def _find_sets_with_labels(
    labels: NDArray[np.bool_], offsets: NDArray[Any], members: NDArray[Any]
) -> NDArray[np.bool_]:
    """Return a mask over label sets in CSR form; `labels` is a mask over labels, `members` the labels of all sets in order."""
    # cumulative[i] is the number of hits among the first i members, so a set has a hit if it grows from start to end.
    cumulative = np.concatenate(([0], np.cumsum(labels[members])))
    with_hits: NDArray[np.bool_] = cumulative[offsets[1:]] > cumulative[offsets[:-1]]
    return with_hits


def _has_source_ref_text(line: bytes, text: str) -> bool:
    """Whether the `source-ref` of a line contains the text.

    The bytes rule out most lines. Lines with escapes, or with the text in any member, need the JSON parser.
    """
    if text.encode() not in line and b"\\" not in line:
        return False
    return text in orjson.loads(line)["source-ref"]
