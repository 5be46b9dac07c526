"""Images that may be there twice: the same file name in several folders. A copy on the other side is a leak that no balance
of labels shows."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_COPIES = 5
"""A name in more folders than that is a numbering that begins anew in each of them."""
MAX_EXAMPLES = 20
_CHUNK_ENTRIES = 1 << 18
_HASHES = 1 << 32

Read = Callable[[Sequence[int]], list[bytes]]


def similar_sources(
    file_name: NDArray[np.uint32], test: NDArray[np.bool_], read: Read
) -> dict[str, Any] | None:
    """File names that two to MAX_COPIES entries have, and how many of them are on both sides; None if there are none.

    Names are counted by their hashes, `byChance` says how many of the counted ones are expected to be different names. The
    first MAX_EXAMPLES, those on both sides first, are looked at: `read` answers with the lines of entries by number.
    """
    entries = _entries(file_name, _repeated(file_name))
    if not entries.size:
        return None
    entries = entries[np.argsort(file_name[entries], kind="stable")]
    first = np.flatnonzero(np.concatenate(([True], np.diff(file_name[entries]) != 0)))
    sizes = np.diff(np.concatenate((first, [entries.size])))
    tested = np.add.reduceat(test[entries].astype(np.int64), first)
    divided = (tested > 0) & (tested < sizes)
    order = np.lexsort((entries[first], ~divided))[:MAX_EXAMPLES].tolist()
    groups = [entries[first[i] : first[i] + sizes[i]].tolist() for i in order]
    return {
        "names": int(first.size),
        "entries": int(entries.size),
        "divided": int(np.count_nonzero(divided)),
        "byChance": round(file_name.size**2 / (2 * _HASHES)),
        "examples": _examples(groups, test, read),
    }


def _repeated(file_name: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hashes, in order, that two to MAX_COPIES entries have."""
    ordered = np.sort(file_name)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.concatenate((first, [ordered.size])))
    chosen: NDArray[np.uint32] = ordered[first[(sizes > 1) & (sizes <= MAX_COPIES)]]
    return chosen


def _entries(file_name: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Entries, by number, with one of these hashes; in chunks, to bound memory."""
    found = [np.empty(0, np.int64)]
    for first in range(0, file_name.size if wanted.size else 0, _CHUNK_ENTRIES):
        chunk = file_name[first : first + _CHUNK_ENTRIES]
        places = np.minimum(np.searchsorted(wanted, chunk), wanted.size - 1)
        found.append(np.flatnonzero(wanted[places] == chunk) + first)
    return np.concatenate(found)


def _examples(groups: list[list[int]], test: NDArray[np.bool_], read: Read) -> list[dict[str, Any]]:
    lines = iter(read([entry for group in groups for entry in group]))
    examples = []
    for group in groups:
        refs = [(str(json.loads(next(lines))["source-ref"]), bool(test[entry])) for entry in group]
        names = {ref.rpartition("/")[2] for ref, _ in refs}
        if len(names) == 1:
            train, tested = (
                [ref for ref, side in refs if side is wanted] for wanted in (False, True)
            )
            examples.append({"name": names.pop(), "train": train, "test": tested})
    return examples
