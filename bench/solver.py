"""`python -m bench solver [ENTRIES ...]` measures the split alone, from index arrays in memory, and prints a table.

Each row is a process of its own. In the hardest case every entry has a label set of its own; in the other rows ten entries on
average share a label set, with a skewed distribution. Seconds are processor time, so other processes have little effect.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from bench.datasets import generate_dataset
from bench.page import describe_machine
from bench.peak import get_peak_bytes, reset_peak
from twofold.split import LabelSets, select_test_entries

ENTRIES = (250_000, 1_000_000, 10_000_000)
MOST_OWN = 10_000_000
"""The most entries with a label set each that fit into memory."""

LABELS = 250
SHARING = 10


@dataclass(frozen=True, slots=True)
class SolverRun:
    """A run; `input_bytes` is the size of the input arrays, `peak_bytes` the peak of the whole process."""

    entries: int
    label_sets: int
    seconds: float
    input_bytes: int
    peak_bytes: int
    proof: str


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or list(ENTRIES)
    print(f"{describe_machine()}\n")
    print("| Entries | Label sets | Processor seconds | Input MB | Peak MB | Proof |")
    print("| ---: | ---: | ---: | ---: | ---: | --- |")
    for entries in sizes:
        for shared in (False, True):
            if shared or entries <= MOST_OWN:
                print(_render_row(_measure(entries, shared)), flush=True)


def _measure(entries: int, shared: bool) -> SolverRun:
    program = f"from bench.solver import solve; solve({entries}, {shared})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return SolverRun(**json.loads(done.stdout))


def solve(entries: int, shared: bool) -> None:
    """Measure a split and print a SolverRun as JSON; runs in a process of its own."""
    label_sets, label_set, source = _generate_arrays(entries, shared)
    arrays = (label_sets.offsets, label_sets.labels, label_set, source)
    reset_peak()
    began = time.process_time()
    selection = select_test_entries(source=source, label_set=label_set, label_sets=label_sets)
    seconds = time.process_time() - began
    if selection.test_mask.sum() != (2 * entries + 5) // 10:
        raise ValueError("The number of test entries is not the share.")
    solved = SolverRun(
        entries=entries,
        label_sets=len(label_sets.offsets) - 1,
        seconds=seconds,
        input_bytes=sum(array.nbytes for array in arrays),
        peak_bytes=get_peak_bytes(),
        proof=selection.certificate.proof,
    )
    print(json.dumps(asdict(solved)))


def _generate_arrays(
    entries: int, shared: bool
) -> tuple[LabelSets, NDArray[np.uint32], NDArray[np.uint64]]:
    sets = entries // SHARING if shared else entries
    data = generate_dataset("", sets, LABELS, 8 if shared else 12, seed=1)
    names = tuple(f"label-{number}" for number in range(LABELS))
    label_sets = LabelSets(data.offsets, data.labels.astype(np.uint32), names)
    if not shared:
        return label_sets, np.arange(entries, dtype=np.uint32), data.source
    random = np.random.default_rng(2)
    skewed = random.random(entries, dtype=np.float32) ** 3 * sets
    source = random.integers(0, 1 << 64, entries, dtype=np.uint64)
    return label_sets, np.minimum(skewed, sets - 1).astype(np.uint32), source


def _render_row(solved: SolverRun) -> str:
    cells = (
        f"{solved.entries:,}",
        f"{solved.label_sets:,}",
        f"{solved.seconds:.1f}",
        f"{solved.input_bytes / 1e6:,.0f}",
        f"{solved.peak_bytes / 1e6:,.0f}",
        solved.proof,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
