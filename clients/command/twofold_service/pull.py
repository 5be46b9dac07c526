"""`twofold pull`: what the datasets hold, as manifests, byte for byte as it was supplied."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.manifest.listing import strip_annotations
from twofold_command.errors import CommandError
from twofold_command.outputs import TEST, TRAIN, staged
from twofold_command.progress import Progress, progress
from twofold_service.projects import Dataset, project
from twofold_service.session import Service, explained

_FILES = {"train": TRAIN, "test": TEST}
PAGE_ENTRIES = 100


def pull(service: Service, name: str, out: Path) -> dict[str, int]:
    """Lines by file. Raises CommandError, and then writes nothing."""
    with explained():
        found = project(service, name)
        if not found.datasets:
            raise CommandError(f"The project {name} has no datasets.")
        names = tuple(_FILES[dataset.kind] for dataset in found.datasets)
        with staged(out, None, names) as folder:
            total = sum(dataset.entries for dataset in found.datasets)
            with progress("Fetching", total, "entries") as step:
                for dataset in found.datasets:
                    _fetch(service, dataset, folder / _FILES[dataset.kind], step)
            _require_unchanged(service, found.datasets)
    return {_FILES[dataset.kind]: dataset.entries for dataset in found.datasets}


def _fetch(service: Service, dataset: Dataset, target: Path, step: Progress) -> None:
    lines = 0
    pages = service.rekognition.get_paginator("list_dataset_entries").paginate(
        DatasetArn=dataset.arn, SuppliedText=True, PaginationConfig={"PageSize": PAGE_ENTRIES}
    )
    with target.open("wb") as file:
        for page in pages:
            entries = page["DatasetEntries"]
            file.writelines(line + b"\n" for line in _supplied_lines(page))
            lines += len(entries)
            step.advance(len(entries))
    if lines != dataset.entries:
        raise CommandError(_changed(dataset))


def _supplied_lines(page: dict[str, Any]) -> Iterator[bytes]:
    """The lines of a page. A service that ignores `SuppliedText` does not answer with it, and annotates its entries."""
    for entry in page["DatasetEntries"]:
        line = entry.encode()
        yield line if page.get("SuppliedText") else strip_annotations(line)


def _require_unchanged(service: Service, datasets: tuple[Dataset, ...]) -> None:
    """Each list is of one moment, but both must be of the same."""
    for dataset in datasets:
        if Dataset.of(service, dataset.kind, dataset.arn).updated != dataset.updated:
            raise CommandError(_changed(dataset))


def _changed(dataset: Dataset) -> str:
    return f"The {dataset.kind} dataset changed while it was fetched. Pull again."
