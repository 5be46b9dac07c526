"""`python -m bench.memory [ENTRIES ...] [--out PAGE]` (`make measure-memory`): what those hold that see a dataset whole.

Resolve, Select (without groups and with) and Merge run as they are deployed, each in a process of its own, on a folder in
place of the bucket. Measured is the peak of the process beyond what it had after its imports.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import held
from bench.folder import Folder
from bench.marks import tell
from bench.peak import peak_bytes
from twofold.manifest.pieces import Piece
from twofold.quotas import limits
from twofold.records import Operation
from twofold.settings import Quotas
from twofold.stores import keys, sealed
from twofold.workflow.contents import get_index
from twofold.workflow.ingest import load_of, resolve_pieces
from twofold.workflow.merge import merge_changes
from twofold.workflow.orders import Ranges
from twofold.workflow.room import BASE_BYTES, Load
from twofold.workflow.select import select

ENTRIES = (250_000, 1_000_000, 3_000_000, 10_000_000)
RESOLVE, SELECT, GROUPED, MERGE = "Resolve", "Select", "Select by groups", "Merge"
FUNCTIONS = (RESOLVE, SELECT, MERGE, GROUPED)
MOST_DISTINCT, MOST_DISTINCT_GROUPED = 3_000_000, 250_000
"""Entries, each with a label set of its own, that do not take the solver minutes."""

BEGIN, END = "<!-- memory: make measure-memory -->", "<!-- end of memory -->"


@dataclass(frozen=True, slots=True)
class Held:
    """`taken` bytes at the peak beyond the `base` that the process had after its imports; `load` is what
    workflow/room.py reckons for the entries. `seconds` of the processor."""

    function: str
    entries: int
    distinct: bool
    base: int
    taken: int
    load: int
    seconds: float


def measured(function: str, entries: int, distinct: bool) -> Held:
    """With `distinct`, each entry has a label set of its own."""
    with tempfile.TemporaryDirectory() as folder:
        _child(f"prepare({folder!r}, {function!r}, {entries}, {distinct})")
        return Held(**json.loads(_child(f"run({folder!r}, {function!r}, {entries}, {distinct})")))


def _child(call: str) -> str:
    program = f"from bench.memory import prepare, run; {call}"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def prepare(name: str, function: str, entries: int, distinct: bool) -> None:
    """In a process of its own: what is there before the function begins."""
    folder = Folder(name)
    if function == RESOLVE:
        operation, found = held.ingest_of(folder, entries, distinct)
        folder.put("given", json.dumps([operation.event(), found.model_dump_json()]).encode())
        return
    before = held.resolved(folder, entries, distinct)
    operation = (
        held.update_of(folder, before)
        if function == MERGE
        else held.distribution_of(folder, before, groups=function == GROUPED)
    )
    folder.put("given", json.dumps([operation.event()]).encode())


def run(name: str, function: str, entries: int, distinct: bool) -> None:
    """In a process of its own: prints a Held as JSON."""
    folder = Folder(name)
    given = json.loads(folder.get("given"))
    operation = Operation.of(given[0])
    found = Ranges.model_validate_json(given[1]) if function == RESOLVE else None
    work = _work(folder, operation, found)
    base, began = peak_bytes(), time.process_time()
    work()
    seconds, taken = time.process_time() - began, peak_bytes() - base
    load = _load(folder, operation, found).bytes
    print(json.dumps(asdict(Held(function, entries, distinct, base, taken, load, seconds))))


def _work(folder: Folder, operation: Operation, found: Ranges | None) -> Callable[[], object]:
    bounds = limits(Quotas.TWOFOLD)
    if found:
        return lambda: resolve_pieces(folder, operation, found, bounds)
    if operation.parameters is None:
        return lambda: merge_changes(folder, operation, bounds)
    return lambda: select(folder, operation)


def _load(folder: Folder, operation: Operation, found: Ranges | None) -> Load:
    """As the functions reckon it themselves."""
    if operation.before:
        grouped = operation.parameters is not None and operation.parameters.group_by is not None
        return Load.of(
            get_index(folder, operation.before),
            chosen=operation.parameters is not None,
            grouped=grouped,
        )
    load = Load(0)
    for number in range(found.count if found else 0):
        key = keys.scratch_shard(operation.id, "index", number, "piece")
        load += load_of(Piece.decode(sealed.get(folder, key)))
    return load


def all_of(sizes: Iterable[int]) -> Iterator[Held]:
    sizes = list(sizes)
    for distinct in (False, True):
        for function in FUNCTIONS:
            for entries in sizes:
                most = MOST_DISTINCT_GROUPED if function == GROUPED else MOST_DISTINCT
                if not distinct or entries <= most:
                    yield measured(function, entries, distinct)


def table(runs: Iterable[Held]) -> str:
    """Markdown."""
    rows = [
        "| function | entries | label sets | peak, MB | beyond imports, bytes an entry | reckoned, MB | processor s |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in runs:
        sets = "one for each entry" if one.distinct else "shared"
        rows.append(
            f"| {one.function} | {one.entries:,} | {sets} | {(one.base + one.taken) / 1e6:,.0f} "
            f"| {one.taken / one.entries:,.0f} | {(BASE_BYTES + one.load) / 1e6:,.0f} | {one.seconds:.1f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("entries", type=int, nargs="*", default=ENTRIES)
    parser.add_argument("--out", type=Path, help="the page to put the table into")
    options = parser.parse_args()
    runs = []
    for one in all_of(options.entries):
        runs.append(one)
        print(one, file=sys.stderr, flush=True)
    tell(options.out, BEGIN, END, table(runs))


if __name__ == "__main__":
    main()
