"""`twofold split`: read the manifest, select the test set, write both manifests. The results equal those of the service."""

import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.grouping.group_by import GroupBy, Ungrouped
from twofold.manifest.index.error_codes import tabulate_codes
from twofold.manifest.index.resolve import KEPT, Resolution
from twofold.manifest.levels.balance_by import BalancedMember
from twofold.manifest.transfer.shard_transfer import SideTotals
from twofold.report import (
    build_dataset_report,
    build_split_report,
    find_similar_sources,
    find_warnings,
)
from twofold.split import CoverageError, Objective, Selection, explain_refusal, select_test_entries
from twofold_command.console import decode_path
from twofold_command.errors import CommandError
from twofold_command.file_formats import describe_folder, describe_read_error
from twofold_command.indexing import (
    ManifestEntries,
    describe_entry_errors,
    make_line_finder,
    read_entries,
)
from twofold_command.part_options import Part
from twofold_command.pool import open_pool
from twofold_command.previous_split import PreviousSplit, read_previous
from twofold_command.progress import show_progress
from twofold_command.split_files import INDEXES, TEST, TRAIN, stage_split_files, write_report
from twofold_command.transfer import write_indexes, write_manifests

MAX_REPORTED_REJECTED_LINES = 100_000


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """The parameters of `twofold split`."""

    manifest: Path
    out: Path
    fraction: Fraction
    seed: int
    group_by: GroupBy | None = None
    ungrouped: Ungrouped = Ungrouped.ERROR
    balance_by: tuple[BalancedMember, ...] = ()
    min_per_label: int = 0
    previous: Path | None = None
    objective: Objective = Objective.LABELS
    processes: int | None = None
    keep_index: bool = False
    strict: bool = False
    parts: tuple[Part, ...] = ()


def split_manifest(request: SplitRequest) -> dict[str, Any]:
    """Splits the manifest: writes the four files, and the indexes if requested, and returns the report.

    Raises CommandError, and then writes nothing.
    """
    size = get_file_size(request.manifest)
    with (
        stage_split_files(request.out, request.manifest) as folder,
        open_pool(size, request.processes) as pool,
    ):
        with show_progress("Reading", size) as bar:
            entries = read_entries(
                request.manifest,
                size,
                request.group_by,
                pool,
                bar,
                identify=request.previous is not None,
                ungrouped=request.ungrouped,
                balance_by=request.balance_by,
                strict=request.strict,
            )
        previous = read_previous(request.previous, pool) if request.previous else None
        with show_progress("Selecting"):
            selection = select_entries(request, entries, previous)
        targets = (folder / TRAIN, folder / TEST)
        with show_progress("Writing", entries.resolution.index.manifest_bytes) as bar:
            side = selection.test_mask.astype(np.uint8)
            totals = write_manifests(request.manifest, entries, side, targets, pool, bar)
        if request.keep_index:
            write_indexes(folder, entries, side, INDEXES)
        report = _build_report(request, entries, selection, totals, previous)
        write_report(folder, report)
    return report


def get_file_size(manifest: Path) -> int:
    """Returns the size in bytes. Raises CommandError if the path is not a regular file or the file is empty."""
    try:
        # Checked before the file is opened: opening a pipe blocks until it has a writer.
        status = manifest.stat()
        if stat.S_ISDIR(status.st_mode):
            raise CommandError(f"{manifest} {describe_folder(manifest)}")
        if not stat.S_ISREG(status.st_mode):
            raise CommandError(f"{manifest} is not a regular file; `twofold split` reads it twice.")
        manifest.open("rb").close()
    except OSError as error:
        raise CommandError(describe_read_error(manifest, error)) from error
    if status.st_size == 0:
        raise CommandError(f"{manifest} is empty.")
    return status.st_size


def select_entries(
    request: SplitRequest, entries: ManifestEntries, previous: PreviousSplit | None
) -> Selection:
    index = entries.resolution.index
    label_sets = index.build_label_sets()
    reason = explain_refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=request.fraction,
        groups=entries.groups,
        label_errors=describe_entry_errors(entries.resolution),
    )
    if reason:
        raise CommandError(f"{request.manifest}: {reason}")
    try:
        return select_test_entries(
            source=entries.resolution.sampling_hash,
            label_set=index.label_set,
            label_sets=label_sets,
            fraction=request.fraction,
            seed=request.seed,
            groups=entries.groups,
            previous=previous.classify(entries.identity, entries.bucket) if previous else None,
            boxes=index.boxes,
            objective=request.objective,
            levels=entries.levels,
            min_per_label=request.min_per_label,
        )
    except CoverageError as error:
        raise CommandError(f"--min-per-label {request.min_per_label}: {error}") from error


def _build_report(
    request: SplitRequest,
    entries: ManifestEntries,
    selection: Selection,
    totals: list[SideTotals],
    previous: PreviousSplit | None,
) -> dict[str, Any]:
    resolution = entries.resolution
    report = build_split_report(
        selection,
        label_set=resolution.index.label_set,
        label_sets=entries.resolution.index.build_label_sets(),
        groups=entries.groups,
        group_by=request.group_by.expression if request.group_by else None,
        singles=entries.singles if request.ungrouped is Ungrouped.SINGLE else None,
        previous=previous.describe(entries.bucket) if previous else None,
        objective=request.objective,
    )
    report |= _find_similar_sources(request.manifest, resolution, selection.test_mask)
    report["datasets"] = {
        side: build_dataset_report(
            name, entries=total.entries, size=total.bytes, digest=f"{total.digest:016x}"
        )
        for side, name, total in zip(("train", "test"), (TRAIN, TEST), totals, strict=True)
    }
    report |= describe_source(request.manifest, resolution)
    report["warnings"] = find_warnings(report)
    return report


def describe_source(manifest: Path, resolution: Resolution) -> dict[str, Any]:
    """Returns the members `source` and `dropped` of the report."""
    source = {
        "manifest": decode_path(manifest.name),
        "lines": resolution.lines,
        "entries": len(resolution.index),
        "errorEntries": resolution.index.error_entries,
        "errors": tabulate_codes(resolution.index.codes, make_line_finder(resolution)),
        "digest": f"{resolution.digest:016x}",
    }
    dropped = {"lines": resolution.rejected, "reasons": _list_rejected_lines(resolution)}
    return {"source": source, "dropped": dropped}


def _find_similar_sources(
    manifest: Path, resolution: Resolution, test: NDArray[np.bool_]
) -> dict[str, Any]:
    """Returns the report's member `similarSources`, or no member if no file name recurs."""

    def read(entries: Sequence[int]) -> list[bytes]:
        line_numbers = np.flatnonzero(resolution.side == KEPT)[list(entries)]
        starts, lengths = (
            resolution.start[line_numbers].tolist(),
            resolution.length[line_numbers].tolist(),
        )
        with manifest.open("rb") as file:
            return [
                _read_line_at(file, start, length)
                for start, length in zip(starts, lengths, strict=True)
            ]

    similar = find_similar_sources(resolution.index.file_name, test, read)
    return {"similarSources": similar} if similar else {}


def _read_line_at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _list_rejected_lines(resolution: Resolution) -> list[dict[str, Any]]:
    """Returns the first MAX_REPORTED_REJECTED_LINES rejected lines, the number that the service keeps."""
    return [
        asdict(line)
        for line in islice(resolution.iterate_rejected_lines(), MAX_REPORTED_REJECTED_LINES)
    ]
