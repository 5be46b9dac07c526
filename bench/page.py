"""Render the comparison as a Markdown page."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import median

from bench.compare import LIMIT_SECONDS, Result
from bench.datasets import Dataset
from bench.methods import METHODS
from bench.worker import PATIENCE_SECONDS, Run

_COLUMNS = (
    "Splitter",
    "Size error",
    "Worst label off by",
    "Mean label off by",
    "Labels off by ≥ 1",
    "Moved at +1 %",
    "Moved at +10 %",
    "Groups divided",
    "Seconds",
    "Peak MB",
)
_NOTHING = "-"

_INTRODUCTION = f"""\
# Splitters side by side

Written by `make bench` on {{date}}: {{machine}}. {{versions}}

Every splitter gets the same entries and labels and splits off a fifth. *Size error* is the number of entries too many (or too
few) in the test set; *off by* is `|test images - 0.2 * images|` of a label, in images. *Moved* is the share of test entries
that leave the test set, with the same seed, when the dataset grows by 1 % or 10 % (by new groups if there are groups).
*Seconds* are for the split alone, from labels in memory; *peak* is the whole process with interpreter and libraries. Each run
has a process of its own, one after another. Each result is checked to be a partition, and for Twofold the certificate is
checked too. A splitter has {LIMIT_SECONDS} seconds in all; growth is measured if a split
takes less than {PATIENCE_SECONDS} seconds.

Generated labels follow Zipf's law and occur together by topic; one image in fifty has none. Datasets with other names are
public manifests. To update this page, run `make bench`, or with your own manifests `make bench MANIFESTS=folder`.
"""


def render_page(datasets: Sequence[Dataset], results: Sequence[Result]) -> str:
    introduction = _INTRODUCTION.format(
        date=date.today().isoformat(),  # noqa: DTZ011 a day is enough
        machine=describe_machine(),
        versions=_list_versions(),
    )
    parts = [introduction, *_render_summary(results)]
    for data in datasets:
        parts.append(
            _render_section(data, [result for result in results if result.dataset == data.name])
        )
    return "\n".join(parts)


def describe_machine() -> str:
    """Describe cores, processor, memory and Python version, without host names or paths."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {_read_processor_name()}, {memory:.0f} GiB, Python {platform.python_version()}"


def _read_processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _list_versions() -> str:
    versions = {method.package: method.version() for method in METHODS.values()}
    return (
        ", ".join(f"{name} {number or 'not installed'}" for name, number in versions.items()) + "."
    )


def _render_summary(results: Sequence[Result]) -> Iterator[str]:
    yield "## All datasets together\n"
    yield _render_header(
        "Splitter",
        "Runs",
        "Exact size",
        "Worst label off by",
        "Median of mean off by",
        "Median moved at +1 %",
        "Median moved at +10 %",
    )
    for key, method in METHODS.items():
        attempts = [result for result in results if result.method == key]
        runs = [result.run for result in attempts if result.run]
        if runs:
            yield _render_row(method.title, *_render_totals(runs, len(attempts)))
    yield ""


def _render_totals(runs: Sequence[Run], tried: int) -> Iterator[str]:
    yield f"{len(runs)} of {tried}"
    yield f"{sum(run.size_error == 0 for run in runs)} of {len(runs)}"
    yield f"{max(run.worst for run in runs):.1f}"
    yield f"{median(run.mean for run in runs):.2f}"
    for growth in range(2):
        moved = [share for run in runs if (share := run.moved[growth]) is not None]
        yield _format_percent(median(moved) if moved else None)


def _render_section(data: Dataset, results: Iterable[Result]) -> str:
    groups = "" if data.groups is None else f", {len(set(data.groups.tolist())):,} groups"
    labels = int((data.count_images() > 0).sum())
    title = f"## {data.name}\n\n{len(data):,} entries, {labels:,} labels{groups}.\n"
    return "\n".join([title, _render_header(*_COLUMNS), *map(_render_line, results), ""])


def _render_line(result: Result) -> str:
    title, run = METHODS[result.method].title, result.run
    if run is None:
        reason = result.reason.replace("|", "\\|").replace("<", "&lt;")
        return _render_row(title, reason, *([""] * (len(_COLUMNS) - 2)))
    return _render_row(
        title,
        f"{run.size_error:+d}" if run.size_error else "0",
        f"{run.worst:.1f}",
        f"{run.mean:.2f}",
        _format_percent(run.off_by_one),
        *map(_format_percent, run.moved),
        _NOTHING if run.divided is None else f"{run.divided:,}",
        f"{run.seconds:.2f}",
        f"{run.peak_bytes / 1e6:.0f}",
    )


def _format_percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{100 * share:.1f} %"


def _render_header(*cells: str) -> str:
    return "\n".join([_render_row(*cells), _render_row("---", *(["---:"] * (len(cells) - 1)))])


def _render_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
