"""From the pieces of all ranges to one index: global label numbers, duplicates, and which lines stay."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.identity import (
    ReadLines,
    distinct_sources,
    first_of_each,
    places_of,
    read_identities,
    repeated,
)
from twofold.manifest.index import Index, Numbering
from twofold.manifest.label_sets import distinct_rows, offsets_of, sizes_of
from twofold.manifest.lines import RejectionReason
from twofold.manifest.pieces import ACCEPTED, REASONS, Piece

KEPT, DROPPED = 0, 1
_DTYPES: Mapping[str, type[np.generic]] = {
    "start": np.uint64,
    "length": np.uint32,
    "source": np.uint64,
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
    """What became of the L lines of a source.

    `start`, `length`, `side`: the lines to carve out of the source, KEPT or DROPPED, in its order (blank and over-long lines
    are in neither). `reason` uint8[L]: why each line was dropped, 0 for an entry. `duplicate`, `original` int64[]: lines whose
    image came before, ascending, and the lines that stay. `word` uint64[]: `distinct_sources` of the entries. `digest`: the
    sum of the hashes of the kept lines modulo 2**64. `buckets`: those of the images, two of each piece at most, each with
    the first line, from 0, that names it. `first_line`: the number of the first line, for people.
    """

    index: Index
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    digest: int
    reason: NDArray[np.uint8]
    duplicate: NDArray[np.int64]
    original: NDArray[np.int64]
    word: NDArray[np.uint64]
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
        place = int(np.searchsorted(self.duplicate, line))
        if place < self.duplicate.size and self.duplicate[place] == line:
            return f"The source-ref is already on line {self.original[place] + self.first_line}."
        return self.details.get(line, "")


def resolve(pieces: Iterable[Piece], read: ReadLines) -> Resolution:
    """Joins the pieces of one source manifest, given in its order; of lines with the same source-ref the first stays.

    Pieces are needed one at a time, and may be let go then. `read` reads lines of the source: those whose hashes meet.
    """
    gathered = _Gathered()
    for piece in pieces:
        gathered.add(piece)
    return gathered.resolution(read)


class _Gathered:
    """All pieces as one. Columns grow in place, and are let go when they have been used: they are most of what is held."""

    def __init__(self) -> None:
        self._columns = {name: np.empty(0, dtype) for name, dtype in _DTYPES.items()}
        self._names = Numbering()
        self._set_sizes, self._set_labels = np.empty(0, np.int64), np.empty(0, np.uint32)
        self._details: dict[int, str] = {}
        self._codes = np.empty(0, np.uint16)
        self._variants: list[tuple[int, NDArray[np.uint64]]] = []
        self._collided = False
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
        if piece.variant.size:
            self._variants.append((before, piece.variant))
            self._collided = (
                True  # or perhaps not: it is looked for among the hashes as they are written
            )
        for bucket, line in piece.buckets:
            self._buckets.setdefault(bucket, before + line)

    def resolution(self, read: ReadLines) -> Resolution:
        take = self._columns.pop
        reason, start, length = take("reason"), take("start"), take("length")
        duplicate, original = self._duplicates(reason, start, length, read)
        reason[duplicate] = _DUPLICATE
        kept = reason == ACCEPTED
        digest = int(take("digest").sum(dtype=np.uint64, where=kept))
        carved = kept | (length > 0)
        index = self._index(length, kept)
        word = index.source
        if self._collided:
            word = distinct_sources(index.source, start[kept], index.length, read)
        return Resolution(
            index=index,
            start=_chosen(start, carved),
            length=_chosen(length, carved),
            side=np.where(_chosen(kept, carved), np.uint8(KEPT), np.uint8(DROPPED)),
            digest=digest,
            reason=reason,
            duplicate=duplicate,
            original=original,
            word=word,
            details=self._details,
            buckets=tuple(self._buckets.items()),
        )

    def _duplicates(
        self,
        reason: NDArray[np.uint8],
        start: NDArray[np.uint64],
        length: NDArray[np.uint32],
        read: ReadLines,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Accepted lines whose image came before, and where it was first. Equal hashes are only a hint."""
        accepted = reason == ACCEPTED
        source = self._canonical()
        lines = places_of(source, repeated(source[accepted]), accepted)
        if not lines.size:
            return lines, lines
        firsts = lines[first_of_each(read_identities(read(start[lines], length[lines])))]
        is_duplicate = firsts != lines
        distinct = source[lines[~is_duplicate]]
        self._collided |= bool(repeated(distinct).size)
        return lines[is_duplicate], firsts[is_duplicate]

    def _canonical(self) -> NDArray[np.uint64]:
        """Hashes of canonical source-refs."""
        source = self._columns["source"]
        if self._variants:
            source = source.copy()
            for first, variant in self._variants:
                source[variant[:, 0].astype(np.int64) + first] = variant[:, 1]
        return source

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
