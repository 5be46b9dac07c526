"""From the pieces of all ranges to one index: global label numbers, duplicates, and which lines stay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index import Index, Numbering
from twofold.manifest.label_sets import LabelSets, distinct_rows, offsets_of, sizes_of
from twofold.manifest.lines import RejectionReason
from twofold.manifest.pieces import ACCEPTED, REASONS, Piece

KEPT, DROPPED = 0, 1
_DUPLICATE = 1 + REASONS.index(RejectionReason.DUPLICATE_SOURCE_REF)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """`line` counts from 1 in the source; `detail` is empty for what a range found beyond its first thousand."""

    line: int
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """`start`, `length`, `side`: the lines to carve out of the source, KEPT or DROPPED, in its order (blank and over-long
    lines are in neither). `reason`, `original`: of each line of the source why it was dropped, and for a duplicate the
    line that stays. `digest`: the sum of the hashes of the kept lines modulo 2**64."""

    index: Index
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    digest: int
    reason: NDArray[np.uint8]
    originals: Mapping[int, int]
    details: Mapping[int, str]
    buckets: tuple[str, ...]

    @property
    def lines(self) -> int:
        return self.reason.size

    @property
    def rejected(self) -> int:
        return self.reason.size - len(self.index)

    def rejected_lines(self) -> Iterator[RejectedLine]:
        for line in np.flatnonzero(self.reason).tolist():
            yield RejectedLine(line + 1, REASONS[self.reason[line] - 1], self._detail(line))

    def _detail(self, line: int) -> str:
        if line in self.originals:
            return f"The source-ref is already on line {self.originals[line] + 1}."
        return self.details.get(line, "")


def resolve(pieces: Sequence[Piece]) -> Resolution:
    """Joins the pieces of one source manifest, given in its order; of lines with the same source-ref the first stays."""
    reason = _joined(pieces, "reason")
    originals = _duplicates(pieces)
    reason[list(originals)] = _DUPLICATE
    kept = reason == ACCEPTED
    length = _joined(pieces, "length")
    carved = kept | (length > 0)
    return Resolution(
        index=_index(pieces, kept),
        start=_joined(pieces, "start")[carved],
        length=length[carved],
        side=np.where(kept[carved], np.uint8(KEPT), np.uint8(DROPPED)),
        digest=int(_joined(pieces, "digest").sum(dtype=np.uint64, where=kept)),
        reason=reason,
        originals=originals,
        details=_details(pieces),
        buckets=tuple(dict.fromkeys(bucket for piece in pieces for bucket in piece.buckets)),
    )


def _joined(pieces: Sequence[Piece], name: str) -> NDArray[Any]:
    """One column of all pieces. It is let go before the next is joined: all at once would double what is held."""
    return _join([getattr(piece, name) for piece in pieces])


def _join(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _index(pieces: Sequence[Piece], kept: NDArray[np.bool_]) -> Index:
    names, sets = _global_sets(pieces)
    number, (offsets, labels) = distinct_rows(sets)
    label_set = number[_set_rows(pieces)]
    boxes = _joined(pieces, "boxes")
    boxes = boxes[np.repeat(kept, sizes_of(offsets)[label_set])] if boxes.any() else boxes[:0]
    return Index(
        length=_joined(pieces, "length")[kept],
        source=_joined(pieces, "source")[kept],
        file_name=_joined(pieces, "file_name")[kept],
        label_set=label_set[kept],
        flags=_joined(pieces, "flags")[kept],
        boxes=boxes if boxes.any() else np.empty(0, np.uint8),
        set_offsets=offsets.astype(np.uint32),
        set_labels=labels,
        names=names,
    )


def _global_sets(pieces: Sequence[Piece]) -> tuple[tuple[str, ...], LabelSets]:
    """The labels in one numbering for all pieces, and in it the label sets of all pieces, one after the other."""
    names = Numbering()
    labels = [
        np.array([names[name] for name in piece.names], np.uint32)[piece.set_labels]
        for piece in pieces
    ]
    sizes = _join([sizes_of(piece.set_offsets) for piece in pieces])
    return tuple(names), (offsets_of(sizes), _join(labels).astype(np.uint32))


def _set_rows(pieces: Sequence[Piece]) -> NDArray[np.int64]:
    """Of each line the row of its label set among those of all pieces."""
    before = offsets_of(np.array([piece.set_offsets.size - 1 for piece in pieces]))
    rows = [piece.label_set + first for piece, first in zip(pieces, before.tolist(), strict=False)]
    return _join(rows).astype(np.int64)


def _duplicates(pieces: Sequence[Piece]) -> dict[int, int]:
    """Of each accepted line whose source-ref came before: the line where it first was."""
    hashes = _join([piece.source[piece.reason == ACCEPTED] for piece in pieces])
    hashes.sort()
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    first: dict[tuple[int, int], int] = {}
    originals = {}
    for line, source in _lines_of(pieces, repeated):
        original = first.setdefault(source, line)
        if original != line:
            originals[line] = original
    return originals


def _lines_of(
    pieces: Sequence[Piece], low: NDArray[np.uint64]
) -> Iterator[tuple[int, tuple[int, int]]]:
    """The accepted lines with one of these low halves, in order, each with both halves of its hash."""
    before = 0
    for piece in pieces if low.size else ():
        rows = np.flatnonzero((piece.reason == ACCEPTED) & np.isin(piece.source, low))
        for row in rows.tolist():
            yield before + row, (int(piece.source[row]), int(piece.source_high[row]))
        before += len(piece)


def _details(pieces: Sequence[Piece]) -> dict[int, str]:
    details, before = {}, 0
    for piece in pieces:
        details.update({before + line: detail for line, detail in piece.details})
        before += len(piece)
    return details
