"""Plan a transfer: split the lines into shards, and define how the new objects are written and put together.

A transfer reads the lines of a source object and writes the lines of each *side* to a separate object. Select, Resolve and
Merge plan a transfer, Move executes a shard, and Publish completes the objects.

The classes of an output, in the order of the steps: `Output` (what a planner asks for), `_OutputLayout` (its parts),
`OutputTask` (for Move), `OutputRecord` (from Move), `OutputSpec` (for Publish).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index import columns
from twofold.manifest.transfer.shards import PartGroup, Shard, cut_shards, plan_parts
from twofold.manifest.transfer.splice import Inserts
from twofold.records import Contents, DatasetId, Operation, SourceObject
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.stores.objects import Bucket
from twofold.workflow.messages import (
    MOVE_TASKS,
    Assembly,
    JoinSpec,
    Location,
    MoveTask,
    OutputSpec,
    OutputTask,
    SpliceSpec,
    TransferPlan,
)


@dataclass(frozen=True, slots=True)
class SourceLines:
    """The lines of the source in order: start uint64[n], length uint32[n] without the newline, side uint8[n]."""

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class InsertedLines:
    """Lines to insert into the source. The object `key` has the lines in order, each with a newline."""

    key: str
    inserts: Inserts


@dataclass(frozen=True, slots=True)
class Output:
    """The object of one side; with `dataset` and `contents` for the manifest of a dataset."""

    key: str
    dataset: DatasetId | None = None
    contents: Contents | None = None


@dataclass(frozen=True, slots=True)
class _OutputLayout:
    """The parts of a side's object, and the multipart upload in case of several parts."""

    side: int
    output: Output
    part_groups: tuple[PartGroup, ...]
    upload: str | None


def plan_transfer(
    bucket: Bucket,
    operation: Operation,
    source: SourceObject,
    lines: SourceLines,
    outputs: Mapping[int, Output],
    *,
    digest: str,
    message: str,
    report: str | None = None,
    inserted: InsertedLines | None = None,
) -> TransferPlan:
    """Write the plan of each shard, the list of shards and the assembly to scratch, and begin the multipart uploads.

    `outputs` are by side. With `inserted`, `lines` belong to the spliced source.
    """
    keys = ScratchKeys(operation.id)
    shards = cut_shards(lines.start, lines.length, lines.side, len(outputs))
    layouts = [_begin_output(bucket, shards, side, output) for side, output in outputs.items()]
    assembly = Assembly(
        shards=len(shards),
        sides=tuple(_build_output_spec(layout, shards) for layout in layouts),
        digest=digest,
        message=message,
        report=report,
    )
    spans = _put_shard_plans(bucket, operation, shards, lines, inserted)
    tasks = tuple(_build_move_tasks(operation, shards, layouts, spans, inserted))
    bucket.put(keys.move_tasks, MOVE_TASKS.dump_json(tasks, by_alias=True, exclude_none=True))
    return put_assembly(bucket, operation, source, assembly, tasks_key=keys.move_tasks)


def put_assembly(
    bucket: Bucket,
    operation: Operation,
    source: SourceObject,
    assembly: Assembly,
    tasks_key: str = "",
) -> TransferPlan:
    """Write the assembly to scratch.

    Without `tasks_key` no lines are moved and Publish follows at once; the state machine then reads no list of tasks, and the
    assembly's key is a placeholder.
    """
    key = ScratchKeys(operation.id).assembly
    sealed.put(bucket, key, assembly.model_dump_json(by_alias=True).encode())
    tasks = Location(bucket=bucket.name, key=tasks_key or key)
    return TransferPlan(tasks=tasks, assembly=key, source=source)


def _begin_output(
    bucket: Bucket, shards: Sequence[Shard], side: int, output: Output
) -> _OutputLayout:
    """Plan the parts of a side's object, and begin a multipart upload if there are several.

    The bucket's lifecycle rule aborts the upload of an earlier attempt.
    """
    part_groups = tuple(plan_parts(shards, side))
    is_multipart = sum(part_group.part_count for part_group in part_groups) > 1
    upload = bucket.begin_upload(output.key) if is_multipart else None
    return _OutputLayout(side, output, part_groups, upload)


def _build_output_spec(layout: _OutputLayout, shards: Sequence[Shard]) -> OutputSpec:
    return OutputSpec(
        key=layout.output.key,
        entries=sum(shard.side_lines[layout.side] for shard in shards),
        bytes=sum(shard.side_bytes[layout.side] for shard in shards),
        upload=layout.upload,
        joins=tuple(
            JoinSpec(part=part_group.first_part, shards=part_group.shards)
            for part_group in layout.part_groups
            if part_group.is_joined
        ),
        dataset=layout.output.dataset,
        contents=layout.output.contents,
    )


def _build_move_tasks(
    operation: Operation,
    shards: Sequence[Shard],
    layouts: Sequence[_OutputLayout],
    spans: Sequence[tuple[int, int]],
    inserted: InsertedLines | None,
) -> Iterator[MoveTask]:
    """Yield a task for each shard; `spans` are (offset, size) of the shards' plans."""
    output_tasks: dict[int, list[OutputTask]] = {shard.number: [] for shard in shards}
    for layout in layouts:
        for part_group in layout.part_groups:
            for number in part_group.shards:
                size = shards[number].side_bytes[layout.side]
                output_tasks[number].append(
                    _build_output_task(operation, layout, part_group, number, size)
                )
    for shard, (offset, size) in zip(shards, spans, strict=True):
        yield MoveTask(
            number=shard.number,
            plan_key=ScratchKeys(operation.id).shard_plans,
            plan_offset=offset,
            plan_size=size,
            start=shard.start,
            end=shard.end,
            pieces=tuple(output_tasks[shard.number]),
            splice=_build_splice_spec(inserted, shard) if inserted else None,
        ).with_seal(operation)


def _build_splice_spec(inserted: InsertedLines, shard: Shard) -> SpliceSpec:
    spliced_range = inserted.inserts.locate_range(shard.start, shard.end)
    offsets = inserted.inserts.compute_offsets()
    first, last = int(offsets[spliced_range.first]), int(offsets[spliced_range.last])
    return SpliceSpec(
        key=inserted.key,
        offset=first,
        size=last - first,
        start=spliced_range.source_start,
        end=spliced_range.source_end,
    )


def _build_output_task(
    operation: Operation, layout: _OutputLayout, part_group: PartGroup, shard: int, size: int
) -> OutputTask:
    """Build the output of a shard for a side: a scratch object to be joined, parts of the upload, or the whole object."""
    if part_group.is_joined:
        key = ScratchKeys(operation.id).build_output_key(shard, layout.side)
        return OutputTask(side=layout.side, bytes=size, key=key, joined=True)
    return OutputTask(
        side=layout.side,
        bytes=size,
        key=layout.output.key,
        upload=layout.upload,
        part=part_group.first_part,
        parts=part_group.part_count,
    )


def _put_shard_plans(
    bucket: Bucket,
    operation: Operation,
    shards: Sequence[Shard],
    lines: SourceLines,
    inserted: InsertedLines | None,
) -> list[tuple[int, int]]:
    """Write the lines of all shards, with checksums, into a single object; return (offset, size) for each shard."""
    packed = [
        columns.pack_columns(
            {"operation": operation.id, "shard": shard.number},
            {
                "start": lines.start[shard.first : shard.last],
                "length": lines.length[shard.first : shard.last],
                "side": lines.side[shard.first : shard.last],
                **(_slice_inserts(inserted, shard) if inserted else {}),
            },
        )
        for shard in shards
    ]
    bucket.put(ScratchKeys(operation.id).shard_plans, b"".join(packed))
    ends = list(accumulate(len(plan) for plan in packed))
    return [(end - len(plan), len(plan)) for end, plan in zip(ends, packed, strict=True)]


def _slice_inserts(inserted: InsertedLines, shard: Shard) -> dict[str, NDArray[Any]]:
    _, _, first, last = inserted.inserts.locate_range(shard.start, shard.end)
    inserts = inserted.inserts
    return {"insert_at": inserts.at[first:last], "insert_length": inserts.length[first:last]}
