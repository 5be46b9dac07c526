"""Changed lines taken into a dataset: which entries they replace, and the index of the result.

A change replaces the entry with its source-ref in its place, or is appended. Indexes hold 64 bits of the hash of a
source-ref: equal hashes make a candidate, and whoever can read the lines decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index import Index, Numbering
from twofold.manifest.splice import Inserts

APPENDED = -1
_CHUNK_ENTRIES = 1 << 18

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Merged:
    """`start`, `length`: the lines of the old manifest that stay. `order`: the changes, by number, as they are inserted."""

    index: Index
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    inserts: Inserts
    order: NDArray[np.int64]


def candidates(old: Index, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Entries of `old`, by number, with one of these hashes of source-refs."""
    wanted = np.sort(hashes)
    found = [np.empty(0, np.int64)]
    for first in range(0, len(old), _CHUNK_ENTRIES):
        chunk = old.source[first : first + _CHUNK_ENTRIES]
        places = np.minimum(np.searchsorted(wanted, chunk), wanted.size - 1)
        found.append(np.flatnonzero(wanted[places] == chunk) + first)
    return np.concatenate(found)


def merge(old: Index, changes: Index, replaced: NDArray[np.int64]) -> Merged:
    """`replaced` int64[len(changes)]: the entry of `old` that each change replaces, or APPENDED."""
    in_place = np.flatnonzero(replaced != APPENDED)
    in_place = in_place[np.argsort(replaced[in_place])]
    appended = np.flatnonzero(replaced == APPENDED)
    order = np.concatenate([in_place, appended])
    places = replaced[in_place]
    starts = old.starts()
    stays = np.ones(len(old), np.bool_)
    stays[places] = False
    ends = np.full(appended.size, old.manifest_bytes, np.uint64)
    return Merged(
        index=_compact(_joined(old, changes, places, in_place, appended)),
        start=starts[stays],
        length=old.length[stays],
        inserts=Inserts(np.concatenate([starts[places], ends]), changes.length[order]),
        order=order,
    )


def _joined(
    old: Index,
    changes: Index,
    places: NDArray[np.int64],
    in_place: NDArray[np.int64],
    appended: NDArray[np.int64],
) -> Index:
    """The change `in_place[i]` at the entry `places[i]`, the `appended` ones at the end; label sets of both."""

    def column(before: NDArray[Number], after: NDArray[Number]) -> NDArray[Number]:
        joined = np.concatenate([before, after[appended]])
        joined[places] = after[in_place]
        return joined

    numbering = Numbering({name: number for number, name in enumerate(old.names)})
    labels = np.array([numbering[name] for name in changes.names], np.uint32)
    return Index(
        length=column(old.length, changes.length),
        source=column(old.source, changes.source),
        file_name=column(old.file_name, changes.file_name)
        if old.file_name.size == len(old)
        else old.file_name,
        label_set=column(old.label_set, changes.label_set + np.uint32(old.set_offsets.size - 1)),
        flags=column(old.flags, changes.flags),
        codes=column(_all_codes(old), _all_codes(changes))
        if old.codes.size or changes.codes.size
        else old.codes,
        boxes=_joined_boxes(old, changes, places, in_place, appended),
        set_offsets=np.concatenate(
            [old.set_offsets[:-1], changes.set_offsets + old.set_offsets[-1]]
        ),
        set_labels=np.concatenate([old.set_labels, labels[changes.set_labels]]),
        names=tuple(numbering),
    )


def _joined_boxes(
    old: Index,
    changes: Index,
    places: NDArray[np.int64],
    in_place: NDArray[np.int64],
    appended: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """The boxes of the old entries up to a replaced one, those of its change, and so on; then those of the appended ones."""
    if not old.boxes.size and not changes.boxes.size:
        return old.boxes
    sizes = changes.set_sizes()[changes.label_set]
    own = np.split(_all_boxes(changes), np.cumsum(sizes[:-1])) if sizes.size else []
    pieces: list[NDArray[np.uint8]] = []
    boxes, done = _all_boxes(old), 0
    for (first, last), change in zip(_spans(old, places), in_place.tolist(), strict=True):
        pieces += [boxes[done:first], own[change]]
        done = last
    joined = np.concatenate([*pieces, boxes[done:], *(own[change] for change in appended.tolist())])
    return joined if joined.any() else np.empty(0, np.uint8)


def _all_codes(index: Index) -> NDArray[np.uint16]:
    """With zeros where the index has no codes at all."""
    return index.codes if index.codes.size else np.zeros(len(index), np.uint16)


def _all_boxes(index: Index) -> NDArray[np.uint8]:
    """With zeros where the index has no boxes at all."""
    if index.boxes.size:
        return index.boxes
    return np.zeros(_members(index.set_sizes(), index.label_set), np.uint8)


def _spans(index: Index, places: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Where the boxes of entries, given in ascending order, are among all: [first, last)."""
    sizes = index.set_sizes()
    done, seen = 0, 0
    for place in places.tolist():
        done += _members(sizes, index.label_set[seen:place])
        own = int(sizes[index.label_set[place]])
        yield done, done + own
        done, seen = done + own, place + 1


def _members(sizes: NDArray[np.int64], label_set: NDArray[np.uint32]) -> int:
    """Members of the entries' label sets together, counted in chunks to bound memory."""
    chunks = range(0, label_set.size, _CHUNK_ENTRIES)
    return sum(int(sizes[label_set[first : first + _CHUNK_ENTRIES]].sum()) for first in chunks)


def _compact(index: Index) -> Index:
    """Without the label sets and labels that no entry has any more; the others keep their order."""
    sets = np.zeros(index.set_offsets.size - 1, np.bool_)
    sets[index.label_set] = True
    sizes = index.set_sizes()
    members = index.set_labels[np.repeat(sets, sizes)]
    labels = np.zeros(len(index.names), np.bool_)
    labels[members] = True
    new_sets = (np.cumsum(sets) - 1).astype(np.uint32)
    new_labels = (np.cumsum(labels) - 1).astype(np.uint32)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[sets])])
    return replace(
        index,
        label_set=new_sets[index.label_set],
        set_offsets=offsets.astype(np.uint32),
        set_labels=new_labels[members] if members.size else members,
        names=tuple(name for name, used in zip(index.names, labels.tolist(), strict=True) if used),
    )
