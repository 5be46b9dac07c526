"""Ordering a carve: who takes which lines out of the source, and how the new objects come together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.manifest import columns
from twofold.manifest.shards import Group, Shard, cut, group
from twofold.manifest.splice import Inserts
from twofold.records import Contents, DatasetId, Operation, Source
from twofold.stores import keys, sealed
from twofold.stores.objects import Bucket
from twofold.workflow.orders import (
    SHARD_LIST,
    Assembly,
    Carve,
    JoinOrder,
    Location,
    PieceOrder,
    ShardOrder,
    SideOrder,
    SpliceOrder,
)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the source in its order: uint64[n], uint32[n], uint8[n]."""

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Spliced:
    """Lines that come into the source; they lie one after the other, each with its newline, in the object `key`."""

    key: str
    inserts: Inserts


@dataclass(frozen=True, slots=True)
class Side:
    """An object to be made; `dataset` and `contents` where it will be a dataset's."""

    key: str
    dataset: DatasetId | None = None
    contents: Contents | None = None


def order_carve(
    bucket: Bucket,
    operation: Operation,
    source: Source,
    lines: Lines,
    sides: Mapping[int, Side],
    *,
    digest: str,
    message: str,
    report: str | None = None,
    spliced: Spliced | None = None,
) -> Carve:
    """Writes the plan, the list of shards and the assembly to scratch, and begins the uploads that they need.

    With `spliced`, `lines` are those of the spliced source.
    """
    shards = cut(lines.start, lines.length, lines.side, len(sides))
    layouts = [_lay_out(bucket, shards, number, side) for number, side in sides.items()]
    assembly = Assembly(
        shards=len(shards),
        sides=tuple(_side_order(layout, shards) for layout in layouts),
        digest=digest,
        message=message,
        report=report,
    )
    places = _put_plan(bucket, operation, shards, lines, spliced)
    orders = tuple(_shard_orders(operation, shards, layouts, places, spliced))
    shards_key = _key(operation, "shards.json")
    assembly_key = keys.assembly(operation.id)
    bucket.put(shards_key, SHARD_LIST.dump_json(orders, by_alias=True, exclude_none=True))
    sealed.put(bucket, assembly_key, assembly.model_dump_json(by_alias=True).encode())
    return Carve(
        shards=Location(bucket=bucket.name, key=shards_key), assembly=assembly_key, source=source
    )


def piece_key(operation: Operation, shard: int, side: int) -> str:
    """Where a piece waits that is too small to be a part."""
    return keys.scratch_shard(operation.id, "move", shard, f"{side}.piece")


def record_key(operation: Operation, shard: int) -> str:
    return keys.scratch_shard(operation.id, "move", shard, "record.json")


@dataclass(frozen=True, slots=True)
class _Layout:
    number: int
    side: Side
    groups: tuple[Group, ...]
    upload: str | None


def _lay_out(bucket: Bucket, shards: Sequence[Shard], number: int, side: Side) -> _Layout:
    groups = tuple(group(shards, number))
    multipart = sum(one.parts for one in groups) > 1
    return _Layout(number, side, groups, bucket.begin_upload(side.key) if multipart else None)


def _side_order(layout: _Layout, shards: Sequence[Shard]) -> SideOrder:
    return SideOrder(
        key=layout.side.key,
        entries=sum(shard.lines_of[layout.number] for shard in shards),
        bytes=sum(shard.bytes_of[layout.number] for shard in shards),
        upload=layout.upload,
        joins=tuple(
            JoinOrder(part=one.part, shards=one.shards) for one in layout.groups if one.joined
        ),
        dataset=layout.side.dataset,
        contents=layout.side.contents,
    )


def _shard_orders(
    operation: Operation,
    shards: Sequence[Shard],
    layouts: Sequence[_Layout],
    places: Sequence[tuple[int, int]],
    spliced: Spliced | None,
) -> Iterator[ShardOrder]:
    pieces: dict[int, list[PieceOrder]] = {shard.number: [] for shard in shards}
    for layout in layouts:
        for one in layout.groups:
            for number in one.shards:
                size = shards[number].bytes_of[layout.number]
                pieces[number].append(_piece_order(operation, layout, one, number, size))
    for shard, (offset, size) in zip(shards, places, strict=True):
        yield ShardOrder(
            number=shard.number,
            plan_key=_key(operation, "plan"),
            plan_offset=offset,
            plan_size=size,
            start=shard.start,
            end=shard.end,
            pieces=tuple(pieces[shard.number]),
            splice=_splice_order(spliced, shard) if spliced else None,
        ).sealed(operation)


def _splice_order(spliced: Spliced, shard: Shard) -> SpliceOrder:
    stretch = spliced.inserts.stretch(shard.start, shard.end)
    before = spliced.inserts.before()
    first, last = int(before[stretch.first]), int(before[stretch.last])
    return SpliceOrder(
        key=spliced.key,
        offset=first,
        size=last - first,
        start=stretch.source_start,
        end=stretch.source_end,
    )


def _piece_order(
    operation: Operation, layout: _Layout, one: Group, shard: int, size: int
) -> PieceOrder:
    if one.joined:
        key = piece_key(operation, shard, layout.number)
        return PieceOrder(side=layout.number, bytes=size, key=key, joined=True)
    return PieceOrder(
        side=layout.number,
        bytes=size,
        key=layout.side.key,
        upload=layout.upload,
        part=one.part,
        parts=one.parts,
    )


def _put_plan(
    bucket: Bucket,
    operation: Operation,
    shards: Sequence[Shard],
    lines: Lines,
    spliced: Spliced | None,
) -> list[tuple[int, int]]:
    """Writes each shard's lines, with checksums, one after the other; answers with (offset, size) of each."""
    packed = [
        columns.pack(
            {"operation": operation.id, "shard": shard.number},
            {
                "start": lines.start[shard.first : shard.last],
                "length": lines.length[shard.first : shard.last],
                "side": lines.side[shard.first : shard.last],
                **(_inserts_of(spliced, shard) if spliced else {}),
            },
        )
        for shard in shards
    ]
    bucket.put(_key(operation, "plan"), b"".join(packed))
    ends = list(accumulate(len(one) for one in packed))
    return [(end - len(one), len(one)) for end, one in zip(ends, packed, strict=True)]


def _inserts_of(spliced: Spliced, shard: Shard) -> dict[str, NDArray[Any]]:
    _, _, first, last = spliced.inserts.stretch(shard.start, shard.end)
    inserts = spliced.inserts
    return {"insert_at": inserts.at[first:last], "insert_length": inserts.length[first:last]}


def _key(operation: Operation, name: str) -> str:
    return keys.scratch(operation.id, "carve", name)
