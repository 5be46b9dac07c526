"""The whole campaign: every fault at every call site, then random schedules. `make faults [SCHEDULES=10000] [SEED=0]`."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from multiprocessing import get_context

from tests.faults.campaign import Figures, attempt, schedule, trials
from tests.faults.scene import Stage, stage
from tests.faults.witness import Violated

PROCESSES = 2
_BATCH = 250


@dataclass
class Report:
    """`broken`: what to repeat, and what was found."""

    figures: Figures = field(default_factory=Figures)
    sites: int = 0
    trials: int = 0
    broken: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.schedules)
    batches = [seeds[first : first + _BATCH] for first in range(0, len(seeds), _BATCH)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(_trials, part) for part in range(PROCESSES)]
        work += [pool.submit(_schedules, batch) for batch in batches]
        reports = [done.result() for done in work]
    broken = list(chain.from_iterable(report.broken for report in reports))
    total = Figures()
    for report in reports:
        total.add(report.figures)
    tried = sum(report.trials for report in reports)
    _say(f"{reports[0].sites} call sites, {tried} faults at them, one at a time")
    _say(
        f"{total.schedules} random schedules (seeds {seeds.start} to {seeds.stop - 1}): {total.calls} calls, "
        f"{total.faults} faults, {total.looks} looks at both datasets, {total.sweeps} sweeps"
    )
    _say(f"{len(broken)} violations", *broken)
    return 1 if broken else 0


def _trials(part: int) -> Report:
    report = Report()
    with _quiet_stage() as found:
        every = list(trials(found))
        report.sites = len({(trial.job, trial.site) for trial in every})
        for trial in every[part::PROCESSES]:
            _note(report, str(trial), partial(attempt, found, trial))
            report.trials += 1
    return report


def _schedules(seeds: range) -> Report:
    report = Report()
    with _quiet_stage() as found:
        for seed in seeds:
            _note(report, f"seed {seed}", partial(_add, report, found, seed))
    return report


@contextmanager
def _quiet_stage() -> Iterator[Stage]:
    """What the functions log of every fault would be megabytes."""
    logging.disable(logging.CRITICAL)
    with stage() as found:
        yield found


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _add(report: Report, found: Stage, seed: int) -> None:
    report.figures.add(schedule(found, seed))


def _note(report: Report, name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except (Exception, Violated) as broken:
        report.broken.append(f"{name}: {type(broken).__name__}: {broken}")


if __name__ == "__main__":
    sys.exit(main())
