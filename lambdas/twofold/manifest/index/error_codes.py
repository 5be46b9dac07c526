"""The error codes of many entries: a bit mask for each entry, counts by code, and a sentence for users."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.line.errors import ErrorCode, LineError

CODES = tuple(ErrorCode)
MAX_CODES_NAMED = 4

_CONCLUSIONS = (ErrorCode.NO_VALID_LABEL_ATTRIBUTES, ErrorCode.NO_VALID_ANNOTATIONS)
"""Codes that follow from more specific errors of the entry."""


@dataclass(frozen=True, slots=True)
class CodeCount:
    """`entries` entries have the code; `first` is the number of the first of them, from 0."""

    code: ErrorCode
    entries: int
    first: int


def compute_code_mask(errors: Iterable[LineError]) -> int:
    """Return the sum of 2**i over the distinct codes, where i is the position of a code in CODES."""
    return sum({1 << CODES.index(error.code) for error in errors})


def build_code_column(masks: Mapping[int, int], lines: int) -> NDArray[np.uint16]:
    """Return uint16[lines] with the masks of lines with errors, by line number; an empty array without errors."""
    codes = np.zeros(lines if masks else 0, np.uint16)
    codes[list(masks)] = list(masks.values())
    return codes


def count_codes(codes: NDArray[np.uint16]) -> list[CodeCount]:
    """Return the counts of all codes in use, most frequent first; `codes` uint16[] holds the mask of each entry."""
    # The distinct masks (few), the first entry with each, and the number of entries with each.
    masks, first, times = np.unique(codes, return_index=True, return_counts=True)
    counts = []
    for bit, code in enumerate(CODES):
        # Which of the distinct masks have this bit.
        has_code = (masks >> np.uint16(bit) & np.uint16(1)).astype(np.bool_)
        if has_code.any():
            counts.append(CodeCount(code, int(times[has_code].sum()), int(first[has_code].min())))
    return sorted(counts, key=lambda count: -count.entries)


def tabulate_codes(
    codes: NDArray[np.uint16], find_line: Callable[[int], int]
) -> list[dict[str, Any]]:
    """Return `count_codes` as members of report.json; `find_line` gives the line, from 1, of an entry number."""
    return [
        {"code": count.code.value, "entries": count.entries, "firstLine": find_line(count.first)}
        for count in count_codes(codes)
    ]


def describe_errors(
    entries: int, errors: int, codes: NDArray[np.uint16], find_line: Callable[[int], object]
) -> str:
    """Return a sentence on the `errors` of `entries` entries that have errors, or an empty text if there are none.

    Names the MAX_CODES_NAMED most frequent codes, each with the line of its first entry. Omits a code that only follows
    from other codes of its entry.
    """
    if not errors:
        return ""
    have = "has" if errors == 1 else "have"
    summary = f"{errors} of {entries} entries {have} errors in their labels"
    counts = count_codes(_drop_conclusions(codes))
    details = [
        f"{count.code} ({count.entries}), the first on line {find_line(count.first)}"
        for count in counts[:MAX_CODES_NAMED]
    ]
    if len(counts) > MAX_CODES_NAMED:
        details.append(f"{len(counts) - MAX_CODES_NAMED} more codes")
    unrecorded = errors - int(np.count_nonzero(codes))
    if unrecorded:
        # The entries come from an index of format version 1, which has no codes.
        details.append(f"ListDatasetEntries with HasErrors names the codes of {unrecorded} entries")
    return f"{summary}: {'; '.join(details)}."


def _drop_conclusions(codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Remove the codes of conclusions, unless an entry has no further codes."""
    conclusions = np.uint16(sum(1 << CODES.index(code) for code in _CONCLUSIONS))
    causes = codes & ~conclusions
    return np.where(causes != 0, causes, codes)
