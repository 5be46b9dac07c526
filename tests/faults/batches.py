"""A campaign in batches, each in a process of its own."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.faults.campaign import Figures, attempt, schedule, trials
from tests.faults.damage import Damage, Harmless, Kind, complaint
from tests.faults.scene import Stage, stage
from tests.faults.witness import Violated


@dataclass
class Report:
    """`broken`: what to repeat, and what was found."""

    figures: Figures = field(default_factory=Figures)
    sites: int = 0
    trials: int = 0
    blows: int = 0
    broken: list[str] = field(default_factory=list)


def every_trial(part: int, parts: int) -> Report:
    report = Report()
    with _quiet_stage() as found:
        every = list(trials(found))
        report.sites = len({(trial.job, trial.site) for trial in every})
        for trial in every[part::parts]:
            _note(report, str(trial), partial(attempt, found, trial))
            report.trials += 1
    return report


def every_damage(part: int, parts: int) -> Report:
    report = Report()
    with _quiet_stage() as found:
        harmless = Harmless(found)
        for kind, damage in harmless.blows()[part::parts]:
            _note(
                report, f"{kind.name}, {damage}", partial(_undamaged, found, harmless, kind, damage)
            )
            report.blows += 1
    return report


def _undamaged(found: Stage, harmless: Harmless, kind: Kind, damage: Damage) -> None:
    said = complaint(found, harmless, kind, damage)
    assert not said, said


def schedules_of(seeds: range) -> Report:
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


def _add(report: Report, found: Stage, seed: int) -> None:
    report.figures.add(schedule(found, seed))


def _note(report: Report, name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except (Exception, Violated) as broken:
        report.broken.append(f"{name}: {type(broken).__name__}: {broken}")
