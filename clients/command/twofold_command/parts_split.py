"""`twofold split --parts` and `--folds`: one manifest for each part, all parts chosen jointly."""

from pathlib import Path
from typing import Any

from twofold.manifest.grouping.group_by import Ungrouped
from twofold.manifest.transfer.shard_transfer import SideTotals
from twofold.report import build_dataset_report
from twofold.report.parts import build_parts_report, find_parts_warnings
from twofold.split.parts import PartsSelection, explain_parts_refusal, select_parts
from twofold_command.errors import CommandError
from twofold_command.indexing import ManifestEntries, describe_entry_errors, read_entries
from twofold_command.pool import open_pool
from twofold_command.progress import show_progress
from twofold_command.split import SplitRequest, describe_source, get_file_size
from twofold_command.split_files import (
    PAGE,
    REPORT,
    list_indexes,
    stage_split_files,
    write_report,
)
from twofold_command.transfer import write_indexes, write_manifests


def list_part_files(request: SplitRequest) -> list[str]:
    """Returns the names of the files of the split, without indexes."""
    return [*_list_manifests(request), REPORT, PAGE]


def _list_manifests(request: SplitRequest) -> list[str]:
    return [f"{part.name}.manifest" for part in request.parts]


def split_into_parts(request: SplitRequest) -> dict[str, Any]:
    """Splits the manifest into the parts of the request: writes all files, and returns the report.

    Raises CommandError, and then writes nothing.
    """
    size = get_file_size(request.manifest)
    manifests = _list_manifests(request)
    with (
        stage_split_files(request.out, request.manifest, list_part_files(request)) as folder,
        open_pool(size, request.processes) as pool,
    ):
        with show_progress("Reading", size) as bar:
            entries = read_entries(
                request.manifest,
                size,
                request.group_by,
                pool,
                bar,
                ungrouped=request.ungrouped,
                strict=request.strict,
            )
        with show_progress("Selecting"):
            selection = _select_parts(request, entries)
        targets = tuple(folder / name for name in manifests)
        with show_progress("Writing", entries.resolution.index.manifest_bytes) as bar:
            totals = write_manifests(request.manifest, entries, selection.part, targets, pool, bar)
        if request.keep_index:
            write_indexes(folder, entries, selection.part, list_indexes(manifests))
        report = _build_report(request, entries, selection, totals)
        write_report(folder, report)
    return report


def _select_parts(request: SplitRequest, entries: ManifestEntries) -> PartsSelection:
    index = entries.resolution.index
    label_sets = index.build_label_sets()
    fractions = [part.fraction for part in request.parts]
    reason = explain_parts_refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        names=[part.name for part in request.parts],
        fractions=fractions,
        groups=entries.groups,
        label_errors=describe_entry_errors(entries.resolution),
    )
    if reason:
        raise CommandError(f"{request.manifest}: {reason}")
    selection = select_parts(
        source=entries.resolution.sampling_hash,
        label_set=index.label_set,
        label_sets=label_sets,
        fractions=fractions,
        seed=request.seed,
        groups=entries.groups,
    )
    _require_filled_parts(request.manifest, request, selection)
    return selection


def _require_filled_parts(manifest: Path, request: SplitRequest, selection: PartsSelection) -> None:
    """Raises CommandError if whole groups leave a part empty."""
    counts = zip(request.parts, selection.certificate.reached, strict=True)
    empty = [part.name for part, count in counts if not count]
    if empty:
        raise CommandError(
            f"{manifest}: Whole groups leave {', '.join(empty[:5])} empty: no choice of them is nearer to the "
            "numbers of entries. Use fewer parts, or smaller groups."
        )


def _build_report(
    request: SplitRequest,
    entries: ManifestEntries,
    selection: PartsSelection,
    totals: list[SideTotals],
) -> dict[str, Any]:
    resolution = entries.resolution
    report = build_parts_report(
        selection,
        names=[part.name for part in request.parts],
        label_set=resolution.index.label_set,
        label_sets=resolution.index.build_label_sets(),
        groups=entries.groups,
        group_by=request.group_by.expression if request.group_by else None,
        singles=entries.singles if request.ungrouped is Ungrouped.SINGLE else None,
    )
    report["datasets"] = {
        part.name: build_dataset_report(
            name, entries=total.entries, size=total.bytes, digest=f"{total.digest:016x}"
        )
        for part, name, total in zip(request.parts, _list_manifests(request), totals, strict=True)
    }
    report |= describe_source(request.manifest, resolution)
    report["warnings"] = find_parts_warnings(report)
    return report
