"""The errors of many entries: as one number for each entry, counted by code, and told in a sentence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.faults import Code, Fault

CODES = tuple(Code)
MAX_CODES_NAMED = 4

_CONCLUSIONS = (Code.NO_VALID_LABEL_ATTRIBUTES, Code.NO_VALID_ANNOTATIONS)
"""What follows from other errors of the entry, which say more."""


@dataclass(frozen=True, slots=True)
class CodeCount:
    """`entries` have the code; `first` is the number of the first of them, from 0."""

    code: Code
    entries: int
    first: int


def code_mask(faults: Iterable[Fault]) -> int:
    """The sum of 2**i over the distinct codes, i being the position of a code in CODES."""
    return sum({1 << CODES.index(fault.code) for fault in faults})


def code_column(masks: Mapping[int, int], lines: int) -> NDArray[np.uint16]:
    """uint16[lines] with the masks of faulty lines by their numbers; empty where there are none."""
    codes = np.zeros(lines if masks else 0, np.uint16)
    codes[list(masks)] = list(masks.values())
    return codes


def count_codes(codes: NDArray[np.uint16]) -> list[CodeCount]:
    """Each code that occurs, the most frequent first; `codes` uint16[] holds the mask of each entry."""
    masks, first, times = np.unique(codes, return_index=True, return_counts=True)
    counts = []
    for bit, code in enumerate(CODES):
        has_code = (masks >> np.uint16(bit) & np.uint16(1)).astype(np.bool_)
        if has_code.any():
            counts.append(CodeCount(code, int(times[has_code].sum()), int(first[has_code].min())))
    return sorted(counts, key=lambda count: -count.entries)


def tabulate_codes(
    codes: NDArray[np.uint16], line_of: Callable[[int], int]
) -> list[dict[str, Any]]:
    """`count_codes` as members of report.json; `line_of` is the line, from 1, of an entry's number."""
    return [
        {"code": count.code.value, "entries": count.entries, "firstLine": line_of(count.first)}
        for count in count_codes(codes)
    ]


def describe_errors(
    entries: int, errors: int, codes: NDArray[np.uint16], line_of: Callable[[int], int]
) -> str:
    """One sentence on the `errors` of `entries` entries that have errors, or nothing if none has.

    Names the MAX_CODES_NAMED most frequent codes, each with the line of its first entry. A code that only follows from
    others of its entry is left out.
    """
    if not errors:
        return ""
    have = "has" if errors == 1 else "have"
    told = f"{errors} of {entries} entries {have} errors in their labels"
    counts = count_codes(_causes(codes))
    named = [
        f"{count.code} ({count.entries}), the first on line {line_of(count.first)}"
        for count in counts[:MAX_CODES_NAMED]
    ]
    if len(counts) > MAX_CODES_NAMED:
        named.append(f"{len(counts) - MAX_CODES_NAMED} more codes")
    unrecorded = errors - int(np.count_nonzero(codes))
    if unrecorded:
        # An index of a release before codes were recorded, or entries that came from one.
        named.append(f"ListDatasetEntries with HasErrors names the codes of {unrecorded} entries")
    return f"{told}: {'; '.join(named)}."


def _causes(codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    conclusions = np.uint16(sum(1 << CODES.index(code) for code in _CONCLUSIONS))
    causes = codes & ~conclusions
    return np.where(causes != 0, causes, codes)
