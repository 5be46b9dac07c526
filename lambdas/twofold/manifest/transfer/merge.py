"""Merge changed lines into a dataset: the replaced entries, and the index of the result.

A change replaces the entry with the same source-ref in place, or is appended. Indexes hold 64 bits of the hash of a source-ref:
entries with equal hashes are only candidates, and the caller reads the lines to decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import compute_offsets
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.numbering import Numbering
from twofold.manifest.transfer.splice import Inserts

APPENDED = -1
_CHUNK_ENTRIES = 1 << 18

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """`start`, `length`: the remaining lines of the old manifest. `order`: change numbers in the order of insertion."""

    index: DatasetIndex
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    inserts: Inserts
    order: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Replacements:
    """Change `changes[i]` replaces entry `entries[i]`, ascending. The `appended` changes follow at the end."""

    entries: NDArray[np.int64]
    changes: NDArray[np.int64]
    appended: NDArray[np.int64]


def find_candidates(old: DatasetIndex, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the numbers of the entries of `old` with one of these hashes of source-refs."""
    ordered = np.sort(hashes)
    candidates = [np.empty(0, np.int64)]
    for first in range(0, len(old), _CHUNK_ENTRIES):
        chunk = old.source[first : first + _CHUNK_ENTRIES]
        # The position of each hash among the wanted ones, or of the next larger one.
        positions = np.minimum(np.searchsorted(ordered, chunk), ordered.size - 1)
        candidates.append(np.flatnonzero(ordered[positions] == chunk) + first)
    return np.concatenate(candidates)


def merge_indexes(
    old: DatasetIndex, changes: DatasetIndex, replaced: NDArray[np.int64]
) -> MergeResult:
    """Merge the changes. `replaced` int64[len(changes)] has the entry of `old` that each change replaces, or APPENDED."""
    # Sort the replacing changes by the entries that they replace.
    in_place = np.flatnonzero(replaced != APPENDED)
    in_place = in_place[np.argsort(replaced[in_place])]
    replacements = _Replacements(
        entries=replaced[in_place],
        changes=in_place,
        appended=np.flatnonzero(replaced == APPENDED),
    )
    order = np.concatenate([in_place, replacements.appended])
    starts = old.compute_starts()
    stays = np.ones(len(old), np.bool_)
    stays[replacements.entries] = False
    # A replacement is inserted before the entry that it replaces, the others after the last entry.
    ends = np.full(replacements.appended.size, old.manifest_bytes, np.uint64)
    at = np.concatenate([starts[replacements.entries], ends])
    return MergeResult(
        index=_drop_unused_labels(_join_indexes(old, changes, replacements)),
        start=starts[stays],
        length=old.length[stays],
        inserts=Inserts(at, changes.length[order]),
        order=order,
    )


def _join_indexes(
    old: DatasetIndex, changes: DatasetIndex, replacements: _Replacements
) -> DatasetIndex:
    """Return the index of the result, with the label sets of both indexes."""

    def join(before: NDArray[Number], after: NDArray[Number]) -> NDArray[Number]:
        joined = np.concatenate([before, after[replacements.appended]])
        joined[replacements.entries] = after[replacements.changes]
        return joined

    numbering = Numbering({name: number for number, name in enumerate(old.names)})
    labels = np.array([numbering[name] for name in changes.names], np.uint32)
    has_file_names = old.file_name.size == len(old)
    has_codes = old.codes.size or changes.codes.size
    # The label sets of the changes follow those of `old`.
    label_set = changes.label_set + np.uint32(old.set_offsets.size - 1)
    set_offsets = changes.set_offsets + old.set_offsets[-1]
    return DatasetIndex(
        length=join(old.length, changes.length),
        source=join(old.source, changes.source),
        file_name=join(old.file_name, changes.file_name) if has_file_names else old.file_name,
        label_set=join(old.label_set, label_set),
        flags=join(old.flags, changes.flags),
        codes=join(old.fill_codes(), changes.fill_codes()) if has_codes else old.codes,
        boxes=_join_boxes(old, changes, replacements),
        set_offsets=np.concatenate([old.set_offsets[:-1], set_offsets]),
        set_labels=np.concatenate([old.set_labels, labels[changes.set_labels]]),
        names=tuple(numbering),
    )


def _join_boxes(
    old: DatasetIndex, changes: DatasetIndex, replacements: _Replacements
) -> NDArray[np.uint8]:
    """Return the box counts of the result: a value for each label of an entry, so replacements may change the number."""
    if not old.boxes.size and not changes.boxes.size:
        return old.boxes
    lengths = changes.compute_set_lengths()[changes.label_set]
    # The values of each change.
    change_boxes = np.split(changes.fill_boxes(), np.cumsum(lengths[:-1])) if lengths.size else []
    parts: list[NDArray[np.uint8]] = []
    boxes, position = old.fill_boxes(), 0
    spans = _iterate_box_spans(old, replacements.entries)
    for (first, last), change in zip(spans, replacements.changes.tolist(), strict=True):
        parts += [boxes[position:first], change_boxes[change]]
        position = last
    appended = (change_boxes[change] for change in replacements.appended.tolist())
    joined = np.concatenate([*parts, boxes[position:], *appended])
    return joined if joined.any() else np.empty(0, np.uint8)


def _iterate_box_spans(
    index: DatasetIndex, entries: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Yield the positions [first, last) in `boxes` of entries, which are ascending."""
    lengths = index.compute_set_lengths()
    position, next_entry = 0, 0
    for entry in entries.tolist():
        position += _count_members(lengths, index.label_set[next_entry:entry])
        # The entry has as many values as its set has labels.
        own = int(lengths[index.label_set[entry]])
        yield position, position + own
        position, next_entry = position + own, entry + 1


def _count_members(lengths: NDArray[np.int64], label_set: NDArray[np.uint32]) -> int:
    """Return the number of labels of all entries together. Counts in chunks, to bound memory."""
    chunks = range(0, label_set.size, _CHUNK_ENTRIES)
    return sum(int(lengths[label_set[first : first + _CHUNK_ENTRIES]].sum()) for first in chunks)


def _drop_unused_labels(index: DatasetIndex) -> DatasetIndex:
    """Remove the label sets and labels without entries; the remaining sets and labels keep the order."""
    is_set_used = np.zeros(index.set_offsets.size - 1, np.bool_)
    is_set_used[index.label_set] = True
    lengths = index.compute_set_lengths()
    # The labels of all used sets, one after the other.
    members = index.set_labels[np.repeat(is_set_used, lengths)]
    is_label_used = np.zeros(len(index.names), np.bool_)
    is_label_used[members] = True
    # New number of each used set and label: the count of used ones before it.
    new_sets = (np.cumsum(is_set_used) - 1).astype(np.uint32)
    new_labels = (np.cumsum(is_label_used) - 1).astype(np.uint32)
    names = zip(index.names, is_label_used.tolist(), strict=True)
    return replace(
        index,
        label_set=new_sets[index.label_set],
        set_offsets=compute_offsets(lengths[is_set_used]).astype(np.uint32),
        set_labels=new_labels[members] if members.size else members,
        names=tuple(name for name, is_used in names if is_used),
    )
