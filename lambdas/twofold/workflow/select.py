"""Select: choose the test set of a distribution, and plan the transfer of the entries."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import OperationRefused
from twofold.manifest.index.error_codes import describe_errors, tabulate_codes
from twofold.manifest.index.hash_collisions import make_distinct_hashes
from twofold.records import Contents, Operation, SplitParameters
from twofold.report import build_dataset_report, build_split_report, find_similar_sources
from twofold.split import (
    Objective,
    PreviousSide,
    Selection,
    explain_refusal,
    select_test_entries,
)
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.stores.objects import Bucket
from twofold.workflow.contents import pin_manifests, write_index
from twofold.workflow.group import read_groups
from twofold.workflow.inputs import get_parameters, get_training_contents, list_contents
from twofold.workflow.memory import MemoryEstimate, require_memory
from twofold.workflow.messages import Assembly, TransferPlan
from twofold.workflow.plan_transfer import SourceLines, plan_transfer, put_assembly
from twofold.workflow.source_entries import (
    SourceEntries,
    make_line_describer,
    require_distinct_images,
    require_one_bucket,
)

TRAIN, TEST = 0, 1
"""Sides of the transfer."""
_EMPTY_DIGEST = f"{0:016x}"


def select_entries(
    bucket: Bucket, operation: Operation, available_bytes: int | None = None
) -> TransferPlan:
    """Select the test set, write the report and the indexes of both datasets, and plan the transfer of their manifests.

    A dry run writes the report only. `available_bytes` is the function's memory for the selection. Raises OperationRefused if
    the memory is insufficient, or if the datasets cannot be split.
    """
    contents, parameters = list_contents(operation), get_parameters(operation)
    entries = _read_entries(bucket, contents, parameters, available_bytes)
    index = entries.index
    groups = read_groups(bucket, operation) if parameters.group_by is not None else None
    selection = _select_test_set(operation, entries, groups)
    report = _build_report(operation, entries, groups, selection)
    report_key = _put_draft_report(bucket, operation, entries, report)
    manifests = pin_manifests(bucket, contents)
    if parameters.dry_run:
        message = f"Dry run: {_build_message(operation, report, 'would be moved')}"
        assembly = Assembly(shards=0, sides=(), digest="0", message=message, report=report_key)
        return put_assembly(bucket, operation, manifests, assembly)
    train, test = operation.datasets
    train_index = index.take_entries(~selection.test_mask)
    test_index = index.take_entries(selection.test_mask)
    return plan_transfer(
        bucket,
        operation,
        manifests,
        SourceLines(entries.starts, index.length, selection.test_mask.astype(np.uint8)),
        {
            TRAIN: write_index(bucket, operation, train, train_index),
            TEST: write_index(bucket, operation, test, test_index),
        },
        digest=entries.digest,
        message=_build_message(operation, report, "were moved"),
        report=report_key,
    )


def _read_entries(
    bucket: Bucket,
    contents: tuple[Contents, ...],
    parameters: SplitParameters,
    available_bytes: int | None,
) -> SourceEntries:
    """Read the indexes of the datasets. Raises OperationRefused if the memory is insufficient, or if the entries of two
    datasets cannot be split together."""
    # First by the number of entries, before the indexes are in memory; then by the indexes themselves.
    entry_count = sum(version.entries for version in contents)
    require_memory(MemoryEstimate(entry_count), available_bytes)
    entries = SourceEntries.read(bucket, contents)
    grouped = parameters.group_by is not None
    estimate = MemoryEstimate.from_index(entries.index, selects=True, grouped=grouped)
    require_memory(estimate, available_bytes)
    require_one_bucket(entries)
    require_distinct_images(entries)
    return entries


def _select_test_set(
    operation: Operation, entries: SourceEntries, groups: NDArray[np.uint64] | None
) -> Selection:
    """Raises OperationRefused if the entries cannot be split."""
    index, parameters = entries.index, get_parameters(operation)
    label_sets = index.build_label_sets()
    reason = explain_refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=parameters.fraction,
        min_images_per_label=parameters.min_images_per_label,
        groups=groups,
        label_errors=describe_errors(
            len(index), index.error_entries, index.codes, make_line_describer(entries.contents)
        ),
    )
    if reason:
        raise OperationRefused(reason)
    return select_test_entries(
        # Entries with equal hashes of different source-refs get other hashes, so that they are sampled independently.
        source=make_distinct_hashes(index.source, entries.starts, index.length, entries.read_lines),
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=parameters.fraction,
        seed=parameters.seed,
        groups=groups,
        previous=_list_previous_sides(operation),
        boxes=index.boxes,
        objective=Objective(parameters.objective),
    )


def _list_previous_sides(operation: Operation) -> NDArray[np.uint8] | None:
    """Return the PreviousSide of each entry in the order of the source, or None if no test entries are kept.

    The training dataset begins with the entries that its last distribution left there: updates replace entries in place and
    append new ones, and nothing removes entries.
    """
    if operation.test_before is None:
        return None
    training_entries = get_training_contents(operation).entries
    old_entries = operation.train_after_last.entries if operation.train_after_last else 0
    return np.repeat(
        np.array([PreviousSide.TEST, PreviousSide.TRAINING, PreviousSide.NEW], np.uint8),
        [operation.test_before.entries, old_entries, training_entries - old_entries],
    )


def _build_report(
    operation: Operation,
    entries: SourceEntries,
    groups: NDArray[np.uint64] | None,
    selection: Selection,
) -> dict[str, Any]:
    """Return the members of the report that come from the selection."""
    index, parameters = entries.index, get_parameters(operation)
    previous = None
    if operation.test_before:
        previous = {
            "trainDigest": operation.train_after_last.digest
            if operation.train_after_last
            else _EMPTY_DIGEST,
            "testDigest": operation.test_before.digest,
        }
    report = build_split_report(
        selection,
        label_set=index.label_set,
        label_sets=index.build_label_sets(),
        groups=groups,
        group_by=parameters.group_by,
        previous=previous,
        objective=Objective(parameters.objective),
    )
    similar = find_similar_sources(index.file_name, selection.test_mask, entries.read_entries)
    return report | ({"similarSources": similar} if similar else {})


def _put_draft_report(
    bucket: Bucket,
    operation: Operation,
    entries: SourceEntries,
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
        "source": _build_source_report(bucket, entries),
    }
    sealed.put(bucket, key, json.dumps(draft, ensure_ascii=False).encode())
    return key


def _build_source_report(bucket: Bucket, entries: SourceEntries) -> dict[str, Any]:
    """Return the report's member on the distributed lines. With two manifests, `firstLine` of errors counts through both."""
    *test, training = (
        bucket.build_uri(ContentsKeys(version.folder).manifest) for version in entries.contents
    )
    return {
        **build_dataset_report(
            training, entries=len(entries.index), size=entries.manifest_bytes, digest=entries.digest
        ),
        **({"testManifest": test[0]} if test else {}),
        "errorEntries": entries.index.error_entries,
        "errors": tabulate_codes(entries.index.codes, _get_line_number),
    }


def _build_message(operation: Operation, report: dict[str, Any], moved: str) -> str:
    """Return the StatusMessage; `moved` is "were moved" or "would be moved"."""
    message = _describe_moves(operation, report, moved)
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


def _describe_moves(operation: Operation, report: dict[str, Any], moved: str) -> str:
    certificate = report["certificate"]
    test_entries, entries = certificate["testEntriesReached"], certificate["entries"]
    if operation.test_before is None:
        return f"{test_entries} of {entries} entries {moved} to the test dataset."
    left, tested = report["previous"]["leftTest"], operation.test_before.entries
    added, trained = test_entries - (tested - left), get_training_contents(operation).entries
    return (
        f"{added} of {trained} entries {moved} to the test dataset, and {left} of {tested} to the training dataset. "
        f"Test set: {test_entries} of {entries} entries."
    )


def _get_line_number(entry: int) -> int:
    """Return the line number of an entry in the source, where every line is an entry."""
    return entry + 1
