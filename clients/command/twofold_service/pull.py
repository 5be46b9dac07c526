"""`twofold pull`: download the datasets of a project as manifests, byte for byte as supplied."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.manifest.line.listing import strip_service_members
from twofold_command.errors import CommandError
from twofold_command.progress import ProgressBar, show_progress
from twofold_command.split_files import TEST, TRAIN, stage_split_files
from twofold_service.projects import Dataset, get_project
from twofold_service.session import Service, convert_aws_errors

_FILES = {"train": TRAIN, "test": TEST}
PAGE_ENTRIES = 100


def pull_manifests(service: Service, name: str, out: Path) -> dict[str, int]:
    """Writes the manifests to `out` and returns the number of lines by file name. Writes all or none. Raises CommandError."""
    with convert_aws_errors():
        project = get_project(service, name)
        if not project.datasets:
            raise CommandError(f"The project {name} has no datasets.")
        names = tuple(_FILES[dataset.kind] for dataset in project.datasets)
        with stage_split_files(out, None, names) as folder:
            total = sum(dataset.entries for dataset in project.datasets)
            with show_progress("Fetching", total, "entries") as bar:
                for dataset in project.datasets:
                    _fetch_dataset(service, dataset, folder / _FILES[dataset.kind], bar)
            _require_unchanged(service, project.datasets)
    return {_FILES[dataset.kind]: dataset.entries for dataset in project.datasets}


def _fetch_dataset(service: Service, dataset: Dataset, target: Path, bar: ProgressBar) -> None:
    lines = 0
    pages = service.rekognition.get_paginator("list_dataset_entries").paginate(
        DatasetArn=dataset.arn, SuppliedText=True, PaginationConfig={"PageSize": PAGE_ENTRIES}
    )
    with target.open("wb") as file:
        for page in pages:
            entries = page["DatasetEntries"]
            file.writelines(line + b"\n" for line in _extract_lines(page))
            lines += len(entries)
            bar.advance(len(entries))
    if lines != dataset.entries:
        raise CommandError(_describe_change(dataset))


def _extract_lines(page: dict[str, Any]) -> Iterator[bytes]:
    """Yields the lines of a page as supplied. A response without `SuppliedText` has annotated entries."""
    for entry in page["DatasetEntries"]:
        line = entry.encode()
        yield line if page.get("SuppliedText") else strip_service_members(line)


def _require_unchanged(service: Service, datasets: tuple[Dataset, ...]) -> None:
    """Raises CommandError if a dataset has changed since it was described: both manifests must show the same state."""
    for dataset in datasets:
        if Dataset.describe(service, dataset.kind, dataset.arn).updated != dataset.updated:
            raise CommandError(_describe_change(dataset))


def _describe_change(dataset: Dataset) -> str:
    return f"The {dataset.kind} dataset changed while it was fetched. Run `twofold pull` again."
