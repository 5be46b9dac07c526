"""What the service holds, as a table of plain text."""

from collections.abc import Iterator, Sequence

from twofold.report.text import printable, whole
from twofold_service.projects import Dataset, Project

_HEADS = ("Project", "Dataset", "Status", "Entries", "Labels")


def table(projects: Sequence[Project]) -> Iterator[str]:
    rows = [_HEADS, *(row for project in projects for row in _rows(project))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        cells = [
            text.rjust(width) if column > 2 else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    for project in projects:
        for dataset in project.datasets:
            if not dataset.status.endswith("_COMPLETE"):
                yield f"{project.name}, {dataset.kind}: {printable(dataset.message)}"


def _rows(project: Project) -> Iterator[tuple[str, ...]]:
    if not project.datasets:
        yield project.name, "none", "", "", ""
    for dataset in project.datasets:
        yield (project.name, dataset.kind, dataset.status, *_counts(dataset))


def _counts(dataset: Dataset) -> tuple[str, str]:
    stats = dataset.description["DatasetStats"]
    return whole(stats["TotalEntries"]), whole(stats["TotalLabels"])
