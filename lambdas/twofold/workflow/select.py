"""Select: choose the test set of a distribution, and plan the transfer of the entries."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import OperationRefused
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.error_codes import describe_errors, tabulate_codes
from twofold.manifest.index.hash_collisions import ReadLines, make_distinct_hashes
from twofold.records import Contents, Operation, SplitParameters
from twofold.report import build_dataset_report, build_split_report, find_similar_sources
from twofold.split import LabelSets, Objective, Selection, explain_refusal, select_test_entries
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.stores.objects import Bucket
from twofold.workflow.contents import pin_manifest, read_index, write_index
from twofold.workflow.group import read_groups
from twofold.workflow.inputs import get_contents, get_parameters
from twofold.workflow.memory import MemoryEstimate, require_memory
from twofold.workflow.messages import Assembly, TransferPlan
from twofold.workflow.plan_transfer import SourceLines, plan_transfer, put_assembly

TRAIN, TEST = 0, 1
"""Sides of the transfer."""
BATCH_LINES = 1024


def select_entries(
    bucket: Bucket, operation: Operation, available_bytes: int | None = None
) -> TransferPlan:
    """Select the test set, write the report and the indexes of both datasets, and plan the transfer of the training manifest.

    A dry run writes the report only. `available_bytes` is the function's memory for the selection. Raises OperationRefused if
    the memory is insufficient, or if the dataset cannot be split.
    """
    before, parameters = get_contents(operation), get_parameters(operation)
    grouped = parameters.group_by is not None
    # First by the number of entries, before the index is in memory; then by the index itself.
    require_memory(MemoryEstimate(before.entries), available_bytes)
    index = read_index(bucket, before)
    require_memory(MemoryEstimate.from_index(index, selects=True, grouped=grouped), available_bytes)
    label_sets = index.build_label_sets()
    groups = read_groups(bucket, operation) if grouped else None
    starts, read_lines = index.compute_starts(), _make_line_reader(bucket, before)
    # Entries with equal hashes of different source-refs get other hashes, so that they are sampled independently.
    source = make_distinct_hashes(index.source, starts, index.length, read_lines)
    selection = _select_test_set(index, source, label_sets, groups, parameters)
    report = build_split_report(
        selection,
        label_set=index.label_set,
        label_sets=label_sets,
        groups=groups,
        group_by=parameters.group_by,
        objective=Objective(parameters.objective),
    ) | _report_similar_sources(bucket, before, index, selection)
    report_key = _put_draft_report(bucket, operation, before, index, report)
    manifest = pin_manifest(bucket, before)
    if parameters.dry_run:
        message = f"Dry run: {_build_message(report, 'would be moved')}"
        assembly = Assembly(shards=0, sides=(), digest="0", message=message, report=report_key)
        return put_assembly(bucket, operation, manifest, assembly)
    train, test = operation.datasets
    train_index = index.take_entries(~selection.test_mask)
    test_index = index.take_entries(selection.test_mask)
    return plan_transfer(
        bucket,
        operation,
        manifest,
        SourceLines(starts, index.length, selection.test_mask.astype(np.uint8)),
        {
            TRAIN: write_index(bucket, operation, train, train_index),
            TEST: write_index(bucket, operation, test, test_index),
        },
        digest=before.digest,
        message=_build_message(report, "were moved"),
        report=report_key,
    )


def _select_test_set(
    index: DatasetIndex,
    source: NDArray[np.uint64],
    label_sets: LabelSets,
    groups: NDArray[np.uint64] | None,
    parameters: SplitParameters,
) -> Selection:
    """`source` uint64[n]: hash of each entry's source-ref. Raises OperationRefused if the dataset cannot be split."""
    reason = explain_refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=parameters.fraction,
        min_images_per_label=parameters.min_images_per_label,
        groups=groups,
        label_errors=describe_errors(
            len(index), index.error_entries, index.codes, _get_line_number
        ),
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


def _make_line_reader(bucket: Bucket, contents: Contents) -> ReadLines:
    """Return a function to read lines of the training manifest by start and length, in batches."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for first in range(0, start.size, BATCH_LINES):
            batch = slice(first, first + BATCH_LINES)
            spans = list(zip(start[batch].tolist(), length[batch].tolist(), strict=True))
            yield from bucket.get_ranges(ContentsKeys(contents.folder).manifest, spans)

    return read


def _report_similar_sources(
    bucket: Bucket, contents: Contents, index: DatasetIndex, selection: Selection
) -> dict[str, Any]:
    """Return the report's member on file names shared by several entries; empty without such names."""

    def read(entries: Sequence[int]) -> list[bytes]:
        starts = index.compute_starts()
        spans = [(int(starts[entry]), int(index.length[entry])) for entry in entries]
        return bucket.get_ranges(ContentsKeys(contents.folder).manifest, spans)

    similar = find_similar_sources(index.file_name, selection.test_mask, read)
    return {"similarSources": similar} if similar else {}


def _put_draft_report(
    bucket: Bucket,
    operation: Operation,
    before: Contents,
    index: DatasetIndex,
    report: dict[str, Any],
) -> str:
    """Write the report without the members added by Publish; return the key."""
    key = ScratchKeys(operation.id).report
    draft = {
        "operation": operation.id,
        "project": operation.datasets[0].project,
        "created": operation.created,
        "dryRun": operation.parameters is not None and operation.parameters.dry_run,
        **report,
        "source": {
            **build_dataset_report(
                bucket.build_uri(ContentsKeys(before.folder).manifest),
                entries=before.entries,
                size=before.bytes,
                digest=before.digest,
            ),
            "errorEntries": before.error_entries,
            "errors": tabulate_codes(index.codes, _get_line_number),
        },
    }
    sealed.put(bucket, key, json.dumps(draft, ensure_ascii=False).encode())
    return key


def _build_message(report: dict[str, Any], moved: str) -> str:
    """Return the StatusMessage; `moved` is "were moved" or "would be moved"."""
    certificate = report["certificate"]
    test_entries, entries = certificate["testEntriesReached"], certificate["entries"]
    message = f"{test_entries} of {entries} entries {moved} to the test dataset."
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    confined = missing & {*report.get("groups", {}).get("labelsInOneGroup", ())}
    rare = len(missing) - len(confined)
    if rare:
        labels = "label has" if rare == 1 else "labels have"
        message += f" {rare} {labels} too few images to be in both datasets."
    if confined:
        labels = "label has" if len(confined) == 1 else "labels have"
        message += f" {len(confined)} {labels} all images in one group, which is not divided."
    return message


def _get_line_number(entry: int) -> int:
    """Return the line number of an entry in the training manifest, where every line is an entry."""
    return entry + 1
