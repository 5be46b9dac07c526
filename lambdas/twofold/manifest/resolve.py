"""From the pieces of all ranges to one index: global label numbers, duplicates, and which lines stay."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index import Index, Numbering
from twofold.manifest.label_sets import distinct_rows, offsets_of, sizes_of
from twofold.manifest.lines import RejectionReason
from twofold.manifest.pieces import ACCEPTED, REASONS, Piece

KEPT, DROPPED = 0, 1
_CHUNK_LINES = 1 << 17
_DTYPES: Mapping[str, type[np.generic]] = {
    "start": np.uint64,
    "length": np.uint32,
    "source": np.uint64,
    "source_high": np.uint64,
    "file_name": np.uint32,
    "digest": np.uint64,
    "reason": np.uint8,
    "label_set": np.uint32,
    "flags": np.uint8,
    "boxes": np.uint8,
}
"""Of the columns of a piece that are joined as they are."""

_DUPLICATE = 1 + REASONS.index(RejectionReason.DUPLICATE_SOURCE_REF)

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """`line` counts in the source, whose first line is 1; `detail` is empty for those beyond the first thousand of a range."""

    line: int
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """`start`, `length`, `side`: the lines to carve out of the source, KEPT or DROPPED, in its order (blank and over-long
    lines are in neither). `reason`, `original`: of each line of the source why it was dropped, and for a duplicate the
    line that stays. `digest`: the sum of the hashes of the kept lines modulo 2**64. `buckets`: those of the
    images, two of each piece at most, each with the first line, from 0, that names it.
    `first_line`: the number of the first line, for people."""

    index: Index
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    digest: int
    reason: NDArray[np.uint8]
    originals: Mapping[int, int]
    details: Mapping[int, str]
    buckets: tuple[tuple[str, int], ...]
    first_line: int = 1

    @property
    def lines(self) -> int:
        return self.reason.size

    @property
    def rejected(self) -> int:
        return self.reason.size - len(self.index)

    def rejected_lines(self) -> Iterator[RejectedLine]:
        for line in np.flatnonzero(self.reason).tolist():
            yield RejectedLine(
                line + self.first_line, REASONS[self.reason[line] - 1], self._detail(line)
            )

    def _detail(self, line: int) -> str:
        if line in self.originals:
            return f"The source-ref is already on line {self.originals[line] + self.first_line}."
        return self.details.get(line, "")


def resolve(pieces: Iterable[Piece]) -> Resolution:
    """Joins the pieces of one source manifest, given in its order; of lines with the same source-ref the first stays.

    Pieces are needed one at a time, and may be let go then.
    """
    gathered = _Gathered()
    for piece in pieces:
        gathered.add(piece)
    return gathered.resolution()


class _Gathered:
    """All pieces as one. Columns grow in place, and are let go when they have been used: they are most of what is held."""

    def __init__(self) -> None:
        self._columns = {name: np.empty(0, dtype) for name, dtype in _DTYPES.items()}
        self._names = Numbering()
        self._set_sizes, self._set_labels = np.empty(0, np.int64), np.empty(0, np.uint32)
        self._details: dict[int, str] = {}
        self._codes = np.empty(0, np.uint16)
        self._buckets: dict[str, int] = {}

    def add(self, piece: Piece) -> None:
        before, sets = self._columns["start"].size, self._set_sizes.size
        for name, column in self._columns.items():
            _append(column, getattr(piece, name))
        self._columns["label_set"][before:] += np.uint32(sets)
        numbers = np.array([self._names[name] for name in piece.names], np.uint32)
        _append(self._set_sizes, sizes_of(piece.set_offsets))
        _append(self._set_labels, numbers[piece.set_labels])
        self._details |= {before + line: detail for line, detail in piece.details}
        if piece.codes.size:
            self._codes.resize(before, refcheck=False)
            _append(self._codes, piece.codes)
        for bucket, line in piece.buckets:
            self._buckets.setdefault(bucket, before + line)

    def resolution(self) -> Resolution:
        take = self._columns.pop
        reason = take("reason")
        originals = _duplicates(reason, self._columns["source"], take("source_high"))
        reason[list(originals)] = _DUPLICATE
        kept = reason == ACCEPTED
        digest = int(take("digest").sum(dtype=np.uint64, where=kept))
        length = take("length")
        carved = kept | (length > 0)
        return Resolution(
            index=self._index(length, kept),
            start=_chosen(take("start"), carved),
            length=_chosen(length, carved),
            side=np.where(_chosen(kept, carved), np.uint8(KEPT), np.uint8(DROPPED)),
            digest=digest,
            reason=reason,
            originals=originals,
            details=self._details,
            buckets=tuple(self._buckets.items()),
        )

    def _index(self, length: NDArray[np.uint32], kept: NDArray[np.bool_]) -> Index:
        take = self._columns.pop
        number, (offsets, labels) = distinct_rows((offsets_of(self._set_sizes), self._set_labels))
        label_set = number[take("label_set")]
        boxes = take("boxes")
        if not kept.all():
            boxes = boxes[np.repeat(kept, sizes_of(offsets)[label_set])]
        return Index(
            length=_chosen(length, kept),
            source=_chosen(take("source"), kept),
            file_name=_chosen(take("file_name"), kept),
            label_set=_chosen(label_set, kept),
            flags=_chosen(take("flags"), kept),
            codes=self._kept_codes(kept),
            boxes=boxes if boxes.any() else np.empty(0, np.uint8),
            set_offsets=offsets.astype(np.uint32),
            set_labels=labels,
            names=tuple(self._names),
        )

    def _kept_codes(self, kept: NDArray[np.bool_]) -> NDArray[np.uint16]:
        if self._codes.size:
            self._codes.resize(kept.size, refcheck=False)
        codes = _chosen(self._codes, kept) if self._codes.size else self._codes
        return codes if codes.any() else np.empty(0, np.uint16)


def _append(column: NDArray[Any], part: NDArray[Any]) -> None:
    """In place: where memory is plenty the system moves pages, not bytes."""
    size = column.size
    column.resize(size + part.size, refcheck=False)
    column[size:] = part


def _chosen(column: NDArray[Number], chosen: NDArray[np.bool_]) -> NDArray[Number]:
    return column if chosen.all() else column[chosen]


def _duplicates(
    reason: NDArray[np.uint8], low: NDArray[np.uint64], high: NDArray[np.uint64]
) -> dict[int, int]:
    """Of each accepted line whose source-ref came before: the line where it first was."""
    hashes = low[reason == ACCEPTED]
    hashes.sort()
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    first: dict[tuple[int, int], int] = {}
    originals = {}
    for line in _lines_of(reason, low, repeated):
        original = first.setdefault((int(low[line]), int(high[line])), line)
        if original != line:
            originals[line] = original
    return originals


def _lines_of(
    reason: NDArray[np.uint8], low: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> Iterator[int]:
    """The accepted lines with one of these low halves, in order."""
    for start in range(0, low.size if wanted.size else 0, _CHUNK_LINES):
        part = slice(start, start + _CHUNK_LINES)
        rows = np.flatnonzero((reason[part] == ACCEPTED) & np.isin(low[part], wanted))
        yield from (rows + start).tolist()
