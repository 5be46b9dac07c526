"""`python -m bench memory [ENTRIES ...] [--out PAGE]`: memory of functions that hold a dataset.

Resolve, Select (without and with groups) and Merge run as deployed, each in a process of its own, on a folder in place of the
bucket. The measured value is the peak of the process beyond the memory after imports.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench import prepared_datasets
from bench.folder_bucket import FolderBucket
from bench.page_sections import publish_table
from bench.peak import get_peak_bytes
from twofold.manifest.index.range_index import RangeIndex
from twofold.quotas import get_quotas
from twofold.records import Operation
from twofold.settings import QuotaProfile
from twofold.split import select_test_entries
from twofold.split.highs import WORK_LIMIT
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.workflow import select
from twofold.workflow.contents import read_index
from twofold.workflow.memory import BASE_BYTES, MemoryEstimate
from twofold.workflow.merge import merge_changes
from twofold.workflow.messages import SourceRanges
from twofold.workflow.resolve import estimate_range, resolve_ranges
from twofold.workflow.select import select_entries

ENTRIES = (250_000, 1_000_000, 3_000_000, 10_000_000)
RESOLVE, SELECT, GROUPED, MERGE = "Resolve", "Select", "Select by groups", "Merge"
FUNCTIONS = (RESOLVE, SELECT, MERGE, GROUPED)
MOST_DISTINCT, MOST_DISTINCT_GROUPED = 3_000_000, 250_000
"""Entries with distinct label sets for which the solver takes less than minutes."""

BEGIN, END = "<!-- memory: python -m bench memory -->", "<!-- end of memory -->"


@dataclass(frozen=True, slots=True)
class MemoryRun:
    """`taken` bytes at the peak beyond the `base` after imports, and processor `seconds`.

    `load` is the estimate of workflow/memory.py for the entries.
    """

    function: str
    entries: int
    distinct: bool
    base: int
    taken: int
    load: int
    seconds: float


def measure(function: str, entries: int, distinct: bool, work_limit: int = WORK_LIMIT) -> MemoryRun:
    """Measure a function. With `distinct`, each entry has a label set of its own. `work_limit` is the solver's, for Select."""
    with tempfile.TemporaryDirectory() as folder:
        _run_child(f"prepare({folder!r}, {function!r}, {entries}, {distinct})")
        return MemoryRun(
            **json.loads(
                _run_child(f"run({folder!r}, {function!r}, {entries}, {distinct}, {work_limit})")
            )
        )


def _run_child(call: str) -> str:
    program = f"from bench.memory import prepare, run; {call}"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def prepare(name: str, function: str, entries: int, distinct: bool) -> None:
    """Write the input of the function; runs in a process of its own."""
    folder = FolderBucket(name)
    if function == RESOLVE:
        operation, ranges = prepared_datasets.prepare_ingest(folder, entries, distinct)
        folder.put("given", json.dumps([operation.serialize(), ranges.model_dump_json()]).encode())
        return
    before = prepared_datasets.prepare_contents(folder, entries, distinct)
    operation = (
        prepared_datasets.prepare_update(folder, before)
        if function == MERGE
        else prepared_datasets.prepare_distribution(folder, before, groups=function == GROUPED)
    )
    folder.put("given", json.dumps([operation.serialize()]).encode())


def run(name: str, function: str, entries: int, distinct: bool, work_limit: int) -> None:
    """Run the function and print a MemoryRun as JSON; runs in a process of its own."""
    vars(select)["select_test_entries"] = partial(select_test_entries, work_limit=work_limit)
    folder = FolderBucket(name)
    input = json.loads(folder.get("given"))
    operation = Operation.parse(input[0])
    ranges = SourceRanges.model_validate_json(input[1]) if function == RESOLVE else None
    work = _make_work(folder, operation, ranges)
    base, began = get_peak_bytes(), time.process_time()
    work()
    seconds, peak = time.process_time() - began, get_peak_bytes() - base
    estimate = _estimate_memory(folder, operation, ranges).bytes
    print(json.dumps(asdict(MemoryRun(function, entries, distinct, base, peak, estimate, seconds))))


def _make_work(
    folder: FolderBucket, operation: Operation, ranges: SourceRanges | None
) -> Callable[[], object]:
    bounds = get_quotas(QuotaProfile.TWOFOLD)
    if ranges:
        return lambda: resolve_ranges(folder, operation, ranges, bounds)
    if operation.parameters is None:
        return lambda: merge_changes(folder, operation, bounds)
    return lambda: select_entries(folder, operation)


def _estimate_memory(
    folder: FolderBucket, operation: Operation, ranges: SourceRanges | None
) -> MemoryEstimate:
    """The estimate of the functions themselves."""
    if operation.before:
        grouped = operation.parameters is not None and operation.parameters.group_by is not None
        return MemoryEstimate.from_index(
            read_index(folder, operation.before),
            selects=operation.parameters is not None,
            grouped=grouped,
        )
    estimate = MemoryEstimate(0)
    for number in range(ranges.count if ranges else 0):
        key = ScratchKeys(operation.id).build_range_index_key(number)
        estimate += estimate_range(RangeIndex.decode(sealed.get(folder, key)))
    return estimate


def measure_all(sizes: Iterable[int]) -> Iterator[MemoryRun]:
    sizes = list(sizes)
    for distinct in (False, True):
        for function in FUNCTIONS:
            for entries in sizes:
                most = MOST_DISTINCT_GROUPED if function == GROUPED else MOST_DISTINCT
                if not distinct or entries <= most:
                    yield measure(function, entries, distinct)


def render_table(runs: Iterable[MemoryRun]) -> str:
    """The runs as a Markdown table."""
    rows = [
        "| function | entries | label sets | peak, MB | beyond imports, bytes an entry | estimated, MB | processor s |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for run in runs:
        sets = "one for each entry" if run.distinct else "shared"
        rows.append(
            f"| {run.function} | {run.entries:,} | {sets} | {(run.base + run.taken) / 1e6:,.0f} "
            f"| {run.taken / run.entries:,.0f} | {(BASE_BYTES + run.load) / 1e6:,.0f} | {run.seconds:.1f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench memory", description=__doc__)
    parser.add_argument("entries", type=int, nargs="*", default=ENTRIES)
    parser.add_argument("--out", type=Path, help="the page to put the table into")
    options = parser.parse_args()
    runs = []
    for run in measure_all(options.entries):
        runs.append(run)
        print(run, file=sys.stderr, flush=True)
    publish_table(options.out, BEGIN, END, render_table(runs))


if __name__ == "__main__":
    main()
