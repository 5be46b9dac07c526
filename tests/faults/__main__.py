"""The whole campaign: every fault at every call site, then random schedules. `make faults [SCHEDULES=10000] [SEED=0]`."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context

from tests.faults.batches import every_damage, every_trial, schedules_of
from tests.faults.campaign import Figures

PROCESSES = 2
_BATCH = 250


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.schedules)
    batches = [seeds[first : first + _BATCH] for first in range(0, len(seeds), _BATCH)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(every_trial, part, PROCESSES) for part in range(PROCESSES)]
        work += [pool.submit(every_damage, part, PROCESSES) for part in range(PROCESSES)]
        work += [pool.submit(schedules_of, batch) for batch in batches]
        reports = [done.result() for done in work]
    broken = list(chain.from_iterable(report.broken for report in reports))
    total = Figures()
    for report in reports:
        total.add(report.figures)
    tried = sum(report.trials for report in reports)
    _say(f"{reports[0].sites} call sites, {tried} faults at them, one at a time")
    _say(f"{sum(report.blows for report in reports)} damaged objects, one at a time")
    _say(
        f"{total.schedules} random schedules (seeds {seeds.start} to {seeds.stop - 1}): {total.calls} calls, "
        f"{total.faults} faults, {total.looks} looks at both datasets, {total.sweeps} sweeps"
    )
    _say(f"{sum(report.tables for report in reports)} tables held against the specification")
    _say(f"{len(broken)} violations", *broken)
    return 1 if broken else 0


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
