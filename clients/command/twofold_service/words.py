"""What the service holds, as a table of plain text."""

from collections.abc import Iterable, Iterator, Sequence

from twofold.escaping import make_printable
from twofold.report.text import whole
from twofold_service.history import Distribution
from twofold_service.projects import Dataset, Project

_PROJECTS = ("Project", "Dataset", "Status", "Entries", "Labels")
_HISTORY = ("Ended", "Tested", "Entries", "Fraction", "Seed", "Outcome", "By")
_NUMBERS = frozenset({"Entries", "Labels", "Tested", "Fraction", "Seed"})


def history(distributions: Iterable[Distribution]) -> Iterator[str]:
    yield from _table(_HISTORY, map(_distribution, distributions))


def table(projects: Sequence[Project]) -> Iterator[str]:
    yield from _table(_PROJECTS, (row for project in projects for row in _rows(project)))
    for project in projects:
        for dataset in project.datasets:
            if not dataset.status.endswith("_COMPLETE"):
                yield f"{project.name}, {dataset.kind}: {make_printable(dataset.message)}"


def _rows(project: Project) -> Iterator[tuple[str, ...]]:
    if not project.datasets:
        yield project.name, "none", "", "", ""
    for dataset in project.datasets:
        yield (project.name, dataset.kind, dataset.status, *_counts(dataset))


def _counts(dataset: Dataset) -> tuple[str, str]:
    stats = dataset.description["DatasetStats"]
    return whole(stats["TotalEntries"]), whole(stats["TotalLabels"])


def _distribution(one: Distribution) -> tuple[str, ...]:
    outcome = "dry run" if one["DryRun"] else "reverted" if one["Reverted"] else "moved"
    return (
        one["EndTimestamp"].isoformat(" ", "seconds"),
        whole(one["TestEntries"]),
        whole(one["TotalEntries"]),
        one["Parameters"]["TestFraction"],
        str(one["Parameters"]["Seed"]),
        outcome,
        make_printable(one["Caller"]),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            text.rjust(width) if head in _NUMBERS else text.ljust(width)
            for head, text, width in zip(heads, line, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()
