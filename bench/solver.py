"""`python -m bench.solver [ENTRIES ...]` measures the split alone, from index arrays in memory, and prints a table.

Each row is a process of its own. With as many label sets as entries every entry has its own, the hardest case; otherwise ten
entries share one, some far more, as an index finds them. Seconds are of processor time, so that other work counts little.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from bench.datasets import generated
from bench.page import machine
from bench.peak import forget_peak, peak_bytes
from twofold.split import LabelSets, select_test_entries

ENTRIES = (250_000, 1_000_000, 10_000_000)
MOST_OWN = 10_000_000
"""What there is memory for with a label set for every entry."""

LABELS = 250
SHARING = 10


@dataclass(frozen=True, slots=True)
class Solved:
    """`input_bytes` are the arrays that the split is given, `peak_bytes` the whole process."""

    entries: int
    label_sets: int
    seconds: float
    input_bytes: int
    peak_bytes: int
    proof: str


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or list(ENTRIES)
    print(f"{machine()}\n")
    print("| Entries | Label sets | Processor seconds | Input MB | Peak MB | Proof |")
    print("| ---: | ---: | ---: | ---: | ---: | --- |")
    for entries in sizes:
        for shared in (False, True):
            if shared or entries <= MOST_OWN:
                print(_row(_measured(entries, shared)), flush=True)


def _measured(entries: int, shared: bool) -> Solved:
    program = f"from bench.solver import solve; solve({entries}, {shared})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return Solved(**json.loads(done.stdout))


def solve(entries: int, shared: bool) -> None:
    """In a process of its own: prints a Solved as JSON."""
    label_sets, label_set, source = _arrays(entries, shared)
    arrays = (label_sets.offsets, label_sets.labels, label_set, source)
    forget_peak()
    began = time.process_time()
    selection = select_test_entries(source=source, label_set=label_set, label_sets=label_sets)
    seconds = time.process_time() - began
    if selection.test.sum() != (2 * entries + 5) // 10:
        raise ValueError("The number of test entries is not the share.")
    solved = Solved(
        entries=entries,
        label_sets=len(label_sets.offsets) - 1,
        seconds=seconds,
        input_bytes=sum(array.nbytes for array in arrays),
        peak_bytes=peak_bytes(),
        proof=selection.certificate.proof,
    )
    print(json.dumps(asdict(solved)))


def _arrays(entries: int, shared: bool) -> tuple[LabelSets, NDArray[np.uint32], NDArray[np.uint64]]:
    sets = entries // SHARING if shared else entries
    data = generated("", sets, LABELS, 8 if shared else 12, seed=1)
    names = tuple(f"label-{number}" for number in range(LABELS))
    label_sets = LabelSets(data.offsets, data.labels.astype(np.uint32), names)
    if not shared:
        return label_sets, np.arange(entries, dtype=np.uint32), data.source
    random = np.random.default_rng(2)
    skewed = random.random(entries, dtype=np.float32) ** 3 * sets
    source = random.integers(0, 1 << 64, entries, dtype=np.uint64)
    return label_sets, np.minimum(skewed, sets - 1).astype(np.uint32), source


def _row(solved: Solved) -> str:
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
