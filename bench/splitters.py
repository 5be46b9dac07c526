"""`python -m bench --out docs/benchmarks.md [--manifests FOLDER ...]` compares the splitters and writes the page."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.compare import Result, compare
from bench.datasets import Dataset, generate_dataset, read_folder
from bench.page import render_page


def iterate_datasets(folders: list[Path]) -> Iterator[Dataset]:
    for folder in folders:
        yield from read_folder(folder)
    yield generate_dataset("generated: 20 labels", 2_000, 20, 5, seed=1)
    yield generate_dataset("generated: 100 labels", 20_000, 100, 8, seed=2)
    yield generate_dataset("generated: 1,000 labels", 50_000, 1_000, 25, seed=3)
    yield generate_dataset("generated: 250 labels", 250_000, 250, 12, seed=4)
    yield generate_dataset("generated: groups of 5", 5_000, 40, 5, seed=5, group_size=5)
    yield generate_dataset("generated: groups of 20", 50_000, 200, 10, seed=6, group_size=20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--manifests", type=Path, nargs="*", default=[], metavar="FOLDER")
    options = parser.parse_args()
    for folder in options.manifests:
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder.")
    compared = list(iterate_datasets(options.manifests))
    results = list(compare(compared, _report_progress))
    options.out.write_text(render_page(compared, results), encoding="utf-8")


def _report_progress(result: Result) -> None:
    run = result.run
    outcome = f"{run.seconds:.2f} s" if run else result.reason
    print(f"{result.dataset}: {result.method}: {outcome}", file=sys.stderr)


if __name__ == "__main__":
    main()
