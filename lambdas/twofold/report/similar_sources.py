"""Possible copies of images: the same file name in several folders.

A copy on the other side leaks training data into the test set; balanced labels do not show the leak.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_COPIES = 5
"""File names in more folders are numbers that start again in each folder, not copies."""
MAX_EXAMPLES = 20
_CHUNK_ENTRIES = 1 << 18
_HASHES = 1 << 32

LineReader = Callable[[Sequence[int]], list[bytes]]


def find_similar_sources(
    file_name: NDArray[np.uint32], test_mask: NDArray[np.bool_], read: LineReader
) -> dict[str, Any] | None:
    """Count the file names of two to MAX_COPIES entries, and the names on both sides. Return None without such names.

    Names are counted by hashes; `byChance` is the expected number of different names with equal hashes. The result has
    MAX_EXAMPLES examples at most, names on both sides first. `read` returns the lines of entries by number.
    """
    entries = _find_entries(file_name, _find_repeated_hashes(file_name))
    if not entries.size:
        return None
    entries = entries[np.argsort(file_name[entries], kind="stable")]
    first = np.flatnonzero(np.concatenate(([True], np.diff(file_name[entries]) != 0)))
    sizes = np.diff(np.concatenate((first, [entries.size])))
    in_test = np.add.reduceat(test_mask[entries].astype(np.int64), first)
    divided = (in_test > 0) & (in_test < sizes)
    order = np.lexsort((entries[first], ~divided))[:MAX_EXAMPLES].tolist()
    groups = [entries[first[i] : first[i] + sizes[i]].tolist() for i in order]
    return {
        "names": int(first.size),
        "entries": int(entries.size),
        "divided": int(np.count_nonzero(divided)),
        "byChance": round(file_name.size**2 / (2 * _HASHES)),
        "examples": _read_examples(groups, test_mask, read),
    }


def _find_repeated_hashes(file_name: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The hashes of two to MAX_COPIES entries, in ascending order."""
    ordered = np.sort(file_name)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.concatenate((first, [ordered.size])))
    repeated: NDArray[np.uint32] = ordered[first[(sizes > 1) & (sizes <= MAX_COPIES)]]
    return repeated


def _find_entries(file_name: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The numbers of the entries with one of the hashes `wanted`; in chunks to bound memory."""
    numbers = [np.empty(0, np.int64)]
    for first in range(0, file_name.size if wanted.size else 0, _CHUNK_ENTRIES):
        chunk = file_name[first : first + _CHUNK_ENTRIES]
        places = np.minimum(np.searchsorted(wanted, chunk), wanted.size - 1)
        numbers.append(np.flatnonzero(wanted[places] == chunk) + first)
    return np.concatenate(numbers)


def _read_examples(
    groups: list[list[int]], test_mask: NDArray[np.bool_], read: LineReader
) -> list[dict[str, Any]]:
    lines = iter(read([entry for group in groups for entry in group]))
    examples = []
    for group in groups:
        refs = [
            (str(json.loads(next(lines))["source-ref"]), bool(test_mask[entry])) for entry in group
        ]
        names = {ref.rpartition("/")[2] for ref, _ in refs}
        if len(names) == 1:
            training, test = (
                [ref for ref, in_test in refs if in_test is side] for side in (False, True)
            )
            examples.append({"name": names.pop(), "train": training, "test": test})
    return examples
