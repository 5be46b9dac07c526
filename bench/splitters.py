"""`python -m bench splitters --out docs/benchmarks.md [--manifests FOLDER ...]` compares the splitters and writes the page."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.compare import Result, compare
from bench.datasets import (
    Dataset,
    generate_dataset,
    generate_lesion_dataset,
    generate_wide_dataset,
    read_folder,
)
from bench.page import render_page

LEAST_DIVIDED, MOST_DIVIDED = 500, 20_000_000
"""Datasets for more than two parts: the fewest entries, and the most entries times labels."""


def iterate_datasets(folders: list[Path]) -> Iterator[Dataset]:
    for folder in folders:
        yield from read_folder(folder)
    yield generate_lesion_dataset("shape of HAM10000", seed=9)
    yield generate_wide_dataset("shape of CAL500", 502, 174, 26, 0.9, seed=7)
    yield generate_wide_dataset("shape of delicious", 16_105, 983, 19, 0.7, seed=8)
    yield generate_dataset("generated: groups of 5", 5_000, 40, 5, seed=5, group_size=5)
    yield generate_dataset("generated: groups of 20", 50_000, 200, 10, seed=6, group_size=20)
    yield generate_dataset("generated: 20 labels", 2_000, 20, 5, seed=1)
    yield generate_dataset("generated: 100 labels", 20_000, 100, 8, seed=2)
    yield generate_dataset("generated: 1,000 labels", 50_000, 1_000, 25, seed=3)
    yield generate_dataset("generated: 250 labels", 250_000, 250, 12, seed=4)


def is_divided(data: Dataset) -> bool:
    """Whether the dataset is also split into more than two parts."""
    return len(data) >= LEAST_DIVIDED and len(data) * data.label_count <= MOST_DIVIDED


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench splitters", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--manifests", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument(
        "--only",
        nargs="*",
        default=[""],
        metavar="TEXT",
        help="datasets with a TEXT in their names",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="keep results here, and do not repeat runs of peers",
    )
    options = parser.parse_args()
    for folder in options.manifests:
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder.")
    compared = [
        data
        for data in iterate_datasets(options.manifests)
        if any(text in data.name for text in options.only)
    ]
    results = list(compare(compared, _report_progress, divided=is_divided, stored=options.results))
    options.out.write_text(render_page(compared, results), encoding="utf-8")


def _report_progress(result: Result) -> None:
    run = result.run
    outcome = f"{run.seconds:.2f} s, total {run.total:,.1f}" if run else result.reason
    print(f"{result.dataset}: {result.division}: {result.method}: {outcome}", file=sys.stderr)


if __name__ == "__main__":
    main()
