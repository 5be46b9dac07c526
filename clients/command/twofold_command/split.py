"""`twofold split`: read, select, write, in the way of the service and with its results."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.carve import Tally
from twofold.manifest.faulty import describe_errors, tabulate_codes
from twofold.manifest.groups import GroupBy
from twofold.manifest.pieces import ACCEPTED
from twofold.manifest.resolve import KEPT, Resolution
from twofold.report import dataset_report, similar_sources, split_report, warnings
from twofold.split import LabelSets, Objective, Selection, refusal, select_test_entries
from twofold_command.carving import write_indexes, write_manifests
from twofold_command.errors import CommandError
from twofold_command.indexing import Entries, read_entries
from twofold_command.output import name_of
from twofold_command.outputs import TEST, TRAIN, staged, write_report
from twofold_command.pool import pool_for
from twofold_command.previous import PreviousSplit, read_previous
from twofold_command.progress import progress

MAX_DROPPED_TOLD = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    manifest: Path
    out: Path
    fraction: Fraction
    seed: int
    group_by: GroupBy | None = None
    previous: Path | None = None
    objective: Objective = Objective.LABELS
    processes: int | None = None
    keep_index: bool = False


def split(request: Request) -> dict[str, Any]:
    """Leaves the four files, and two indexes if asked for, and answers with the report. Raises CommandError, and then leaves
    nothing."""
    size = _size(request.manifest)
    with (
        staged(request.out, request.manifest) as folder,
        pool_for(size, request.processes) as pool,
    ):
        with progress("Reading", size) as step:
            entries = read_entries(
                request.manifest,
                size,
                request.group_by,
                pool,
                step,
                identify=request.previous is not None,
            )
        previous = read_previous(request.previous, pool) if request.previous else None
        with progress("Selecting"):
            selection = select(request, entries, previous)
        targets = (folder / TRAIN, folder / TEST)
        with progress("Writing", entries.resolution.index.manifest_bytes) as step:
            tallies = write_manifests(
                request.manifest, entries, selection.test, targets, pool, step
            )
        if request.keep_index:
            write_indexes(folder, entries, selection.test)
        report = _report(request, entries, selection, tallies, previous)
        write_report(folder, report)
    return report


def _size(manifest: Path) -> int:
    """Raises CommandError for what is not a file with something in it."""
    try:
        # A pipe is not opened: without a writer that would wait for one.
        found = manifest.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CommandError(f"{manifest} is not a file on a disk; it is read twice.")
        manifest.open("rb").close()
    except OSError as error:
        raise CommandError(f"{manifest} cannot be read: {error.strerror}.") from error
    if found.st_size == 0:
        raise CommandError(f"{manifest} is empty.")
    return found.st_size


def select(request: Request, entries: Entries, previous: PreviousSplit | None) -> Selection:
    index, label_sets = entries.resolution.index, _label_sets(entries)
    reason = refusal(
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=request.fraction,
        groups=entries.groups,
        label_errors=describe_errors(
            len(index), index.error_entries, index.codes, _line_of(entries.resolution)
        ),
    )
    if reason:
        raise CommandError(f"{request.manifest}: {reason}")
    return select_test_entries(
        source=entries.resolution.word,
        label_set=index.label_set,
        label_sets=label_sets,
        fraction=request.fraction,
        seed=request.seed,
        groups=entries.groups,
        previous=previous.sides(entries.identity) if previous else None,
        boxes=index.boxes,
        objective=request.objective,
    )


def _line_of(resolution: Resolution) -> Callable[[int], int]:
    """The line of the source, from 1, of an entry's number."""
    return lambda entry: int(np.flatnonzero(resolution.reason == ACCEPTED)[entry]) + 1


def _label_sets(entries: Entries) -> LabelSets:
    index = entries.resolution.index
    return LabelSets(
        offsets=index.set_offsets.astype(np.int64), labels=index.set_labels, names=index.names
    )


def _report(
    request: Request,
    entries: Entries,
    selection: Selection,
    tallies: tuple[Tally, Tally],
    previous: PreviousSplit | None,
) -> dict[str, Any]:
    resolution = entries.resolution
    report = split_report(
        selection,
        label_set=resolution.index.label_set,
        label_sets=_label_sets(entries),
        groups=entries.groups,
        group_by=request.group_by.expression if request.group_by else None,
        previous=previous.digests if previous else None,
        objective=request.objective,
    )
    report |= _similar(request.manifest, resolution, selection.test)
    report["datasets"] = {
        side: dataset_report(
            name, entries=tally.entries, size=tally.bytes, digest=f"{tally.digest:016x}"
        )
        for side, name, tally in zip(("train", "test"), (TRAIN, TEST), tallies, strict=True)
    }
    report["source"] = {
        "manifest": name_of(request.manifest.name),
        "lines": resolution.lines,
        "entries": len(resolution.index),
        "errorEntries": resolution.index.error_entries,
        "errors": tabulate_codes(resolution.index.codes, _line_of(resolution)),
        "digest": f"{resolution.digest:016x}",
    }
    report["dropped"] = {"lines": resolution.rejected, "reasons": _reasons(resolution)}
    report["warnings"] = warnings(report)
    return report


def _similar(manifest: Path, resolution: Resolution, test: NDArray[np.bool_]) -> dict[str, Any]:
    """The report's member on file names that several entries have, if there are any."""

    def read(entries: Sequence[int]) -> list[bytes]:
        kept = np.flatnonzero(resolution.side == KEPT)[list(entries)]
        starts, lengths = resolution.start[kept].tolist(), resolution.length[kept].tolist()
        with manifest.open("rb") as file:
            return [_line_at(file, *place) for place in zip(starts, lengths, strict=True)]

    found = similar_sources(resolution.index.file_name, test, read)
    return {"similarSources": found} if found else {}


def _line_at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _reasons(resolution: Resolution) -> list[dict[str, Any]]:
    """The first MAX_DROPPED_TOLD, as the service keeps them."""
    return [asdict(line) for line in islice(resolution.rejected_lines(), MAX_DROPPED_TOLD)]
