"""`python -m bench.scale --out docs/performance.md --plot docs/images/data-path.svg [--entries N ...]` measures the data path.

Every contender is a process of its own, in turns, so often as asked for; the best time counts. What it wrote is proven to be
the manifest, line for line, before it counts.
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
from twofold.manifest.index import Index
from twofold.manifest.reader import lines_of_range

TWOFOLD = "Twofold"
# What a contender is not asked for: it would not end, or not fit into memory.
MOST_ENTRIES = {
    "iterative-stratification": 100_000,
    "scikit-learn": 1_000_000,
    "DuckDB": 1_000_000,
    "Polars": 1_000_000,
}


class WrongOutputError(Exception):
    """A contender lost, changed or repeated a line."""


@dataclass(frozen=True, slots=True)
class Content:
    """Lines and the sum of their hashes, which knows no order."""

    lines: int
    digest: int


def content_of(path: Path) -> Content:
    lines = digest = 0
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        for _, line in lines_of_range(chunks, 0, path.stat().st_size):
            lines += 1
            digest += xxh3_64_intdigest(line or b"")
    return Content(lines, digest % (1 << 64))


def verify(name: str, source: Content, folder: Path) -> None:
    """Raises WrongOutputError."""
    train, test = (content_of(folder / f"{side}.manifest") for side in ("train", "test"))
    whole = Content(train.lines + test.lines, (train.digest + test.digest) % (1 << 64))
    if whole != source:
        raise WrongOutputError(f"{name}: {whole} instead of {source}.")
    if name != TWOFOLD:
        return
    if test.lines != (2 * source.lines + 5) // 10:
        raise WrongOutputError(f"{name}: {test.lines} test entries of {source.lines}.")
    for side, found in (("train", train), ("test", test)):
        index = Index.decode((folder / f"{side}.index").read_bytes())
        written = (folder / f"{side}.manifest").stat().st_size
        if (len(index), index.manifest_bytes) != (found.lines, written):
            raise WrongOutputError(f"{name}: {side}.index is not that of its manifest.")


def measure(name: str, manifest: Path, entries: int, source: Content) -> Run | None:
    """None, and a word on standard error, where a peer fails. Raises WrongOutputError."""
    with tempfile.TemporaryDirectory(dir=manifest.parent) as made:
        folder = Path(made)
        told = folder / "told"
        arguments: list[str | Path] = (
            ["bench.datapath", manifest, folder]
            if name == TWOFOLD
            else ["bench.peers", name, manifest, folder, str(entries)]
        )
        began = time.perf_counter()
        with told.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and name != TWOFOLD:
            return None
        verify(name, source, folder)
        phases = json.loads(told.read_bytes() or b"{}")
    return Run(
        entries=entries,
        name=name,
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * 1024,
        worker_peak=phases.get("worker_peak"),
        split=phases["select"] + phases["write"] if phases else None,
    )


def runs(sizes: list[int], names: list[str], rounds: int, scratch: Path) -> Iterator[Run]:
    for entries in sizes:
        manifest = scratch / "all.manifest"
        # In a process of its own: Linux reckons a parent's peak into that of what it starts.
        subprocess.run(
            [sys.executable, "-m", "bench.manifests", manifest, str(entries)], check=True
        )
        source = content_of(manifest)
        contenders = [name for name in names if entries <= MOST_ENTRIES.get(name, entries)]
        for turn in range(rounds):
            for name in contenders:
                found = measure(name, manifest, entries, source)
                outcome = f"{found.seconds:.2f} s" if found else "failed"
                print(f"{entries} {name} {turn + 1}: {outcome}", file=sys.stderr)
                if found:
                    yield found
        manifest.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    parser.add_argument("--entries", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=[TWOFOLD, *PEERS], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="a folder with room for four manifests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        found = list(runs(options.entries, options.only, options.rounds, Path(scratch)))
    put_section(options.out, found)
    plot(options.plot, found)


if __name__ == "__main__":
    main()
