"""The fault-injection campaign: every fault at every call site, damaged objects, random schedules.

`make faults [SCHEDULES=10000] [SEED=0]`.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context

from tests.faults.batches import run_damages, run_schedules, run_trials
from tests.faults.campaign import Counters

PROCESSES = 2
_BATCH = 250


def run_campaign() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first schedule")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.schedules)
    batches = [seeds[first : first + _BATCH] for first in range(0, len(seeds), _BATCH)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(run_trials, part, PROCESSES) for part in range(PROCESSES)]
        work += [pool.submit(run_damages, part, PROCESSES) for part in range(PROCESSES)]
        work += [pool.submit(run_schedules, batch) for batch in batches]
        reports = [batch.result() for batch in work]
    violations = list(chain.from_iterable(report.violations for report in reports))
    total = Counters()
    for report in reports:
        total.add(report.counters)
    tried = sum(report.trials for report in reports)
    _print_lines(f"Injected {tried} faults at {reports[0].sites} call sites, one at a time.")
    _print_lines(f"Damaged {sum(report.damages for report in reports)} objects, one at a time.")
    _print_lines(
        f"Ran {total.schedules} random schedules (seeds {seeds.start} to {seeds.stop - 1}): {total.calls} calls, "
        f"{total.faults} faults, {total.checks} checks of both datasets, {total.sweeps} runs of Settle."
    )
    _print_lines(
        f"Checked {sum(report.tables for report in reports)} tables against the specification."
    )
    _print_lines(f"Violations: {len(violations)}.", *violations)
    return 1 if violations else 0


def _print_lines(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(run_campaign())
