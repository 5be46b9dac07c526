"""Projects and distributions as plain-text tables."""

from collections.abc import Iterable, Iterator, Sequence

from twofold.escaping import make_printable
from twofold.report.formatting import format_integer
from twofold_service.history import Distribution
from twofold_service.projects import Dataset, Project

_PROJECTS = ("Project", "Dataset", "Status", "Entries", "Labels")
_HISTORY = ("Ended", "Test", "Entries", "Fraction", "Seed", "Outcome", "By")
_NUMBERS = frozenset({"Entries", "Labels", "Test", "Fraction", "Seed"})


def render_history(distributions: Iterable[Distribution]) -> Iterator[str]:
    yield from _render_table(_HISTORY, map(_build_distribution_row, distributions))


def render_projects(projects: Sequence[Project]) -> Iterator[str]:
    yield from _render_table(
        _PROJECTS, (row for project in projects for row in _build_project_rows(project))
    )
    for project in projects:
        for dataset in project.datasets:
            if not dataset.status.endswith("_COMPLETE"):
                yield f"{project.name}, {dataset.kind}: {make_printable(dataset.message)}"


def _build_project_rows(project: Project) -> Iterator[tuple[str, ...]]:
    if not project.datasets:
        yield project.name, "none", "", "", ""
    for dataset in project.datasets:
        yield (project.name, dataset.kind, dataset.status, *_format_counts(dataset))


def _format_counts(dataset: Dataset) -> tuple[str, str]:
    stats = dataset.description["DatasetStats"]
    return format_integer(stats["TotalEntries"]), format_integer(stats["TotalLabels"])


def _build_distribution_row(distribution: Distribution) -> tuple[str, ...]:
    outcome = (
        "dry run" if distribution["DryRun"] else "reverted" if distribution["Reverted"] else "moved"
    )
    return (
        distribution["EndTimestamp"].isoformat(" ", "seconds"),
        format_integer(distribution["TestEntries"]),
        format_integer(distribution["TotalEntries"]),
        distribution["Parameters"]["TestFraction"],
        str(distribution["Parameters"]["Seed"]),
        outcome,
        make_printable(distribution["Caller"]),
    )


def _render_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            text.rjust(width) if head in _NUMBERS else text.ljust(width)
            for head, text, width in zip(heads, line, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()
