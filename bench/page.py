"""Render the comparison as a Markdown page."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import median

from bench.compare import Result
from bench.datasets import LEAST_ENTRIES, Dataset
from bench.divisions import DIVISIONS
from bench.markdown import render_header, render_row
from bench.methods import METHODS
from bench.multilabel_methods import EXACT_SECONDS
from bench.objectives import compute_floor
from bench.ranking import list_defeats
from bench.worker import LIMIT_SECONDS, PATIENCE_SECONDS, Run

_MEASURES = ("Splitter", "Size error", "Worst", "Mean", "Total", "splitkit's cost")
_COSTS = ("Groups divided", "Seconds", "Peak MB")
_GROWTH = ("Moved at +1 %", "Moved at +10 %")
_NOTHING = "-"

_INTRODUCTION = f"""\
# Splitters side by side

Written by `make bench` on {{date}}: {{machine}}. {{versions}}

Every splitter gets the same entries and labels and divides them 80/20, 70/15/15 and into five folds. Entries without labels
count as a label of their own in all columns. Columns:

- *Size error*: entries that would have to change parts for the exact sizes (by largest remainder).
- *Worst*, *mean*: of `|t - f n|` over parts and labels, in images: `t` images of a label in a part, `n` in all, `f` the share
  of the part.
- *Total*: the sum, which Twofold minimizes (for 80/20 of the test set alone, as in the certificate).
- *splitkit's cost*: the sum over parts and labels of `w |t - f n| / (f n + 1)`, which splitkit minimizes. The weight `w` is
  proportional to `1 / n` and 1 on average; labels in fewer groups than there are parts have none. The number of entries is one
  more column, of weight 1. Rare labels decide nearly alone.
- *Moved*: test entries that leave the test set, with the same seed, when the dataset grows by 1 % or 10 % (by new groups, if
  there are groups). Measured if a split takes less than {PATIENCE_SECONDS} seconds.
- *Groups divided*: groups with entries in several parts. *Seconds*: processor time of the split alone, from labels in memory.
  *Peak*: of the whole process, with interpreter, libraries and input.

Each run has a process of its own, one after another, with at most {LIMIT_SECONDS} seconds of processor time. Each result is
checked to be a partition, and Twofold's also against its certificate.

Peers run at their documented best. Where a function takes a number of entries, it gets the exact one; three parts are made by
two calls or by joined folds. iterative-stratification and scikit-multilearn get the labels alone, because they use entries
without labels to fill up the sizes. splitkit needs groups, so entries are groups of their own in data without groups:
*annealing* is its default, *exact* its programme with a limit of {EXACT_SECONDS} seconds of the clock, as in its own
benchmarks. On a busy machine this is less processor time, see *Seconds*. Its strategy *evolution* takes minutes and is left
out.
dataset-splitter and scikit-learn's `stratify` balance a single value for each entry, here the label set; dataset-splitter has
no folds.

Generated labels follow Zipf's law and occur together by topic; one image in fifty has none. Three datasets are drawn in the
shape of public ones: HAM10000 (7,470 lesions as groups, four attributes with its frequencies), CAL500 (502 entries, 174 labels,
about 26 an entry) and delicious (16,105 entries, 983 labels, about 19 an entry), the last two with nearly all label sets
different. Datasets with other names are public manifests of at least {LEAST_ENTRIES} entries. To update this page, run
`make bench`, or with your own manifests `make bench MANIFESTS=folder`.
"""


def render_page(datasets: Sequence[Dataset], results: Sequence[Result]) -> str:
    introduction = _INTRODUCTION.format(
        date=date.today().isoformat(),  # noqa: DTZ011 a day is enough
        machine=describe_machine(),
        versions=_list_versions(),
    )
    parts = [introduction, *_render_defeats(results), *_render_summaries(results)]
    for data in datasets:
        parts.extend(
            _render_dataset(data, [result for result in results if result.dataset == data.name])
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


def _render_defeats(results: Sequence[Result]) -> Iterator[str]:
    yield "## Where Twofold is not first\n"
    yield (
        "Compared on size error, worst label, total and splitkit's cost; in data with groups, with the splitters that keep\n"
        "groups whole. In all other cells of these columns Twofold is first or equal. Twofold minimizes the total and keeps\n"
        "the sizes exact. splitkit minimizes its cost, in which the sizes are one term of many. The two optima differ.\n"
    )
    yield render_header("Dataset", "Parts", "Measure", "Twofold", "Peer", "Its value", "Reason")
    for defeat in list_defeats(results):
        yield render_row(*defeat)
    yield ""


def _render_summaries(results: Sequence[Result]) -> Iterator[str]:
    for key, division in DIVISIONS.items():
        yield f"## All datasets together: {division.title}\n"
        yield render_header(
            "Splitter",
            "Runs",
            "Exact size",
            "Worst",
            "Median of mean",
            "Median of splitkit's cost",
            "Median of seconds",
        )
        for name, method in METHODS.items():
            attempts = [
                result for result in results if (result.method, result.division) == (name, key)
            ]
            runs = [result.run for result in attempts if result.run]
            if runs:
                yield render_row(method.title, *_render_totals(runs, len(attempts)))
        yield ""


def _render_totals(runs: Sequence[Run], tried: int) -> Iterator[str]:
    yield f"{len(runs)} of {tried}"
    yield f"{sum(run.misplaced == 0 for run in runs)} of {len(runs)}"
    yield f"{max(run.worst for run in runs):.1f}"
    yield f"{median(run.mean for run in runs):.2f}"
    yield f"{median(run.relative for run in runs):.3f}"
    yield f"{median(run.seconds for run in runs):.2f}"


def _render_dataset(data: Dataset, results: Sequence[Result]) -> Iterator[str]:
    groups = "" if data.groups is None else f", {data.count_units():,} groups"
    columns = data.build_columns()
    yield f"## {data.name}\n\n{len(data):,} entries, {int((data.count_images() > 0).sum()):,} labels{groups}.\n"
    for key, division in DIVISIONS.items():
        chosen = [result for result in results if result.division == key]
        if chosen:
            floor = compute_floor(columns.count_images(), division.shares)
            yield f"### {data.name}: {division.title}\n\nThe total of whole numbers of images is at least {floor:.1f}.\n"
            growth = _GROWTH if key == "two" else ()
            yield render_header(*_MEASURES, *growth, *_COSTS)
            yield from _render_lines(chosen, len(growth))
            yield ""


def _render_lines(results: Iterable[Result], growths: int) -> Iterator[str]:
    for result in results:
        title, run = METHODS[result.method].title, result.run
        if run is None:
            reason = result.reason.replace("|", "\\|").replace("<", "&lt;")
            blanks = len(_MEASURES) + growths + len(_COSTS) - 2
            yield render_row(title, reason, *([""] * blanks))
        else:
            moved = _render_shares(run.moved, growths)
            yield render_row(title, *_render_measures(run), *moved, *_render_costs(run))
            yield from _render_kept(title, run, growths)


def _render_kept(title: str, run: Run, growths: int) -> Iterator[str]:
    if run.kept:
        before, after = [""] * (len(_MEASURES) - 1), [""] * len(_COSTS)
        cells = _render_shares(run.kept, growths)
        yield render_row(f"{title}, given the previous split", *before, *cells, *after)


def _render_measures(run: Run) -> Iterator[str]:
    yield str(run.misplaced)
    yield f"{run.worst:.1f}"
    yield f"{run.mean:.3f}"
    yield f"{run.total:,.1f}"
    yield f"{run.relative:.4f}"


def _render_costs(run: Run) -> Iterator[str]:
    yield _NOTHING if run.divided is None else f"{run.divided:,}"
    yield f"{run.seconds:.2f}"
    yield f"{run.peak_bytes / 1e6:.0f}"


def _render_shares(shares: Sequence[float] | None, count: int) -> Iterator[str]:
    for growth in range(count):
        yield _NOTHING if shares is None else f"{100 * shares[growth]:.1f} %"
