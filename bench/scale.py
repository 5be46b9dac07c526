"""`python -m bench scale --out docs/performance.md --plot docs/images/data-path.svg [--entries N ...]` measures the data path.

Every tool runs in a process of its own, in turns; the best time of all rounds counts. Runs count only with an output of
exactly the lines of the manifest.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xxhash import xxh3_64_intdigest

from bench.peers import PEERS
from bench.scale_page import Run, plot, put_section
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.line.byte_ranges import read_lines

TWOFOLD = "Twofold"
# The largest input of a tool that ends in time and fits into memory.
MOST_ENTRIES = {
    "iterative-stratification": 100_000,
    "scikit-learn": 1_000_000,
    "DuckDB": 1_000_000,
    "Polars": 1_000_000,
}


class WrongOutputError(Exception):
    """A tool lost, changed or repeated a line."""


@dataclass(frozen=True, slots=True)
class Content:
    """The number of lines and the sum of their hashes, independent of the order."""

    lines: int
    digest: int


def read_content(path: Path) -> Content:
    lines = digest = 0
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        for _, line in read_lines(chunks, 0, path.stat().st_size):
            lines += 1
            digest += xxh3_64_intdigest(line or b"")
    return Content(lines, digest % (1 << 64))


def verify(name: str, source: Content, folder: Path) -> None:
    """Compare the output with the source. Raises WrongOutputError."""
    train, test = (read_content(folder / f"{side}.manifest") for side in ("train", "test"))
    whole = Content(train.lines + test.lines, (train.digest + test.digest) % (1 << 64))
    if whole != source:
        raise WrongOutputError(f"{name}: {whole} instead of {source}.")
    if name != TWOFOLD:
        return
    if test.lines != (2 * source.lines + 5) // 10:
        raise WrongOutputError(f"{name}: {test.lines} test entries of {source.lines}.")
    for side, content in (("train", train), ("test", test)):
        index = DatasetIndex.decode((folder / f"{side}.index").read_bytes())
        written = (folder / f"{side}.manifest").stat().st_size
        if (len(index), index.manifest_bytes) != (content.lines, written):
            raise WrongOutputError(f"{name}: {side}.index does not match its manifest.")


def measure(name: str, manifest: Path, entries: int, source: Content) -> Run | None:
    """Run a tool. Returns None if a peer fails. Raises WrongOutputError."""
    with tempfile.TemporaryDirectory(dir=manifest.parent) as made:
        folder = Path(made)
        output_path = folder / "phases.json"
        arguments: list[str | Path] = (
            ["bench.datapath", manifest, folder]
            if name == TWOFOLD
            else ["bench.peers", name, manifest, folder, str(entries)]
        )
        began = time.perf_counter()
        with output_path.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and name != TWOFOLD:
            return None
        verify(name, source, folder)
        phases = json.loads(output_path.read_bytes() or b"{}")
    return Run(
        entries=entries,
        name=name,
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * 1024,
        worker_peak=phases.get("worker_peak"),
        split=phases["select"] + phases["write"] if phases else None,
    )


def measure_all(sizes: list[int], names: list[str], rounds: int, scratch: Path) -> Iterator[Run]:
    for entries in sizes:
        manifest = scratch / "all.manifest"
        # In a process of its own: on Linux the peak of a child includes the memory of its parent.
        subprocess.run(
            [sys.executable, "-m", "bench.manifests", manifest, str(entries)], check=True
        )
        source = read_content(manifest)
        tools = [name for name in names if entries <= MOST_ENTRIES.get(name, entries)]
        for turn in range(rounds):
            for name in tools:
                run = measure(name, manifest, entries, source)
                outcome = f"{run.seconds:.2f} s" if run else "failed"
                print(f"{entries} {name} {turn + 1}: {outcome}", file=sys.stderr)
                if run:
                    yield run
        manifest.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    parser.add_argument("--entries", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=[TWOFOLD, *PEERS], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="a folder with space for four manifests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        runs = list(measure_all(options.entries, options.only, options.rounds, Path(scratch)))
    put_section(options.out, runs)
    plot(options.plot, runs)


if __name__ == "__main__":
    main()
