"""Select: which entries of the training dataset are tested, and the order for the carve that moves them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import OperationRefused
from twofold.manifest.faulty import describe_errors, tabulate_codes
from twofold.manifest.identity import ReadLines, distinct_sources
from twofold.manifest.index import Index
from twofold.records import Contents, Operation, Source, SplitParameters
from twofold.report import dataset_report, similar_sources, split_report
from twofold.split import LabelSets, Objective, Selection, refusal, select_test_entries
from twofold.stores import keys, sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.workflow import group
from twofold.workflow.carving import Lines, order_carve
from twofold.workflow.contents import get_index, pinned_contents, put_index
from twofold.workflow.orders import Assembly, Carve, Location
from twofold.workflow.room import Load, require_room

TRAIN, TEST = 0, 1
BATCH_LINES = 1024


def select(bucket: Bucket, operation: Operation, room: int | None = None) -> Carve:
    """Writes the indexes of both new contents and orders the carve of the training manifest; in a dry run, only the report.

    `room` is how many bytes there are for that. Raises OperationRefused if they are too few, or if labels cannot be on both
    sides.
    """
    before, parameters = _claimed(operation)
    require_room(Load(before.entries), room)
    index = get_index(bucket, before)
    require_room(Load.of(index, chosen=True, grouped=parameters.group_by is not None), room)
    label_sets = LabelSets(
        offsets=index.set_offsets.astype(np.int64), labels=index.set_labels, names=index.names
    )
    groups = group.groups(bucket, operation) if parameters.group_by is not None else None
    source = distinct_sources(index.source, index.starts(), index.length, _reading(bucket, before))
    selection = _selected(index, source, label_sets, groups, parameters)
    report = split_report(
        selection,
        label_set=index.label_set,
        label_sets=label_sets,
        groups=groups,
        group_by=parameters.group_by,
        objective=Objective(parameters.objective),
    )
    report |= _similar(bucket, before, index, selection)
    draft = _put_draft(bucket, operation, before, index, report)
    manifest = pinned_contents(bucket, before)
    if parameters.dry_run:
        return _order_report(bucket, operation, manifest, report, draft)
    train, test = operation.datasets
    sides = {
        TRAIN: put_index(bucket, operation, train, index.take(~selection.test)),
        TEST: put_index(bucket, operation, test, index.take(selection.test)),
    }
    return order_carve(
        bucket,
        operation,
        manifest,
        Lines(index.starts(), index.length, selection.test.astype(np.uint8)),
        sides,
        digest=before.digest,
        message=_message(report, "were moved"),
        report=draft,
    )


def _similar(
    bucket: Bucket, before: Contents, index: Index, selection: Selection
) -> dict[str, Any]:
    """The report's member on file names that several entries have, if there are any."""

    def read(entries: Sequence[int]) -> list[bytes]:
        starts = index.starts()
        spans = [(int(starts[entry]), int(index.length[entry])) for entry in entries]
        return bucket.get_ranges(ContentsKeys(before.folder).manifest, spans)

    found = similar_sources(index.file_name, selection.test, read)
    return {"similarSources": found} if found else {}


def _reading(bucket: Bucket, before: Contents) -> ReadLines:
    """Reads lines of the training manifest, some at a time."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for first in range(0, start.size, BATCH_LINES):
            batch = slice(first, first + BATCH_LINES)
            spans = list(zip(start[batch].tolist(), length[batch].tolist(), strict=True))
            yield from bucket.get_ranges(ContentsKeys(before.folder).manifest, spans)

    return read


def _selected(
    index: Index,
    source: NDArray[np.uint64],
    label_sets: LabelSets,
    groups: NDArray[np.uint64] | None,
    parameters: SplitParameters,
) -> Selection:
    """Raises OperationRefused."""
    reason = refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=parameters.fraction,
        min_images_per_label=parameters.min_images_per_label,
        groups=groups,
        label_errors=describe_errors(len(index), index.error_entries, index.codes, _line_of),
    )
    if reason:
        raise OperationRefused(reason)
    return select_test_entries(
        source=source,
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=parameters.fraction,
        seed=parameters.seed,
        groups=groups,
        boxes=index.boxes,
        objective=Objective(parameters.objective),
    )


def _order_report(
    bucket: Bucket, operation: Operation, source: Source, report: dict[str, Any], draft: str
) -> Carve:
    """For Publish alone: there are no shards, and nothing will be written but the report."""
    assembly = Assembly(
        shards=0,
        sides=(),
        digest="0",
        message=f"Dry run: {_message(report, 'would be moved')}",
        report=draft,
    )
    key = keys.assembly(operation.id)
    sealed.put(bucket, key, assembly.model_dump_json(by_alias=True).encode())
    return Carve(shards=Location(bucket=bucket.name, key=key), assembly=key, source=source)


def _claimed(operation: Operation) -> tuple[Contents, SplitParameters]:
    if operation.before is None or operation.parameters is None:
        raise ValueError(f"The operation {operation.id} is not a distribution.")
    return operation.before, operation.parameters


def _message(report: dict[str, Any], done: str) -> str:
    certificate = report["certificate"]
    moved, entries = certificate["testEntriesReached"], certificate["entries"]
    message = f"{moved} of {entries} entries {done} to the test dataset."
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    confined = missing & {*report.get("groups", {}).get("labelsInOneGroup", ())}
    few = len(missing) - len(confined)
    if few:
        labels = "label has" if few == 1 else "labels have"
        message += f" {few} {labels} too few images to be in both datasets."
    if confined:
        labels = "label has" if len(confined) == 1 else "labels have"
        message += f" {len(confined)} {labels} all images in one group, which is not divided."
    return message


def _line_of(entry: int) -> int:
    """Of the training dataset's manifest: every line is an entry."""
    return entry + 1


def _put_draft(
    bucket: Bucket, operation: Operation, before: Contents, index: Index, report: dict[str, Any]
) -> str:
    """The report, but for what is known only when the lines have been moved."""
    key = keys.scratch(operation.id, "select", "report.json")
    draft = {
        "operation": operation.id,
        "project": operation.datasets[0].project,
        "created": operation.created,
        "dryRun": operation.parameters is not None and operation.parameters.dry_run,
        **report,
        "source": {
            **dataset_report(
                bucket.address(ContentsKeys(before.folder).manifest),
                entries=before.entries,
                size=before.bytes,
                digest=before.digest,
            ),
            "errorEntries": before.error_entries,
            "errors": tabulate_codes(index.codes, _line_of),
        },
    }
    sealed.put(bucket, key, json.dumps(draft, ensure_ascii=False).encode())
    return key
