"""A campaign in batches, each in a process of its own."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.campaign import Figures, attempt, schedule, trials
from tests.faults.damage import Damage, Harmless, Kind, complaint
from tests.faults.scene import Scene, Stage, stage
from tests.faults.witness import Violated
from tests.specification.recording import TableTrace
from tests.specification.tlc import AVAILABLE, check_traces


@dataclass
class Report:
    """`broken`: what to repeat, and what was found."""

    figures: Figures = field(default_factory=Figures)
    sites: int = 0
    trials: int = 0
    blows: int = 0
    tables: int = 0
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
    """Their tables are held against the specification at the end, where there is Java."""
    report, traces = Report(), list[TableTrace]()
    with _quiet_stage() as found:
        for seed in seeds:
            _note(report, f"seed {seed}", partial(_add, report, found, seed, traces))
    if AVAILABLE:
        _note(report, f"traces of {seeds}", partial(_require_behaviours, report, traces))
    return report


def _require_behaviours(report: Report, traces: list[TableTrace]) -> None:
    with TemporaryDirectory() as folder:
        report.tables += check_traces(Path(folder), [trace.spelled() for trace in traces])


@contextmanager
def _quiet_stage() -> Iterator[Stage]:
    """What the functions log of every fault would be megabytes."""
    logging.disable(logging.CRITICAL)
    with stage() as found:
        yield found


def _add(report: Report, found: Stage, seed: int, traces: list[TableTrace]) -> None:
    watch = partial(_trace, traces)
    report.figures.add(schedule(found, seed, watch))


def _trace(traces: list[TableTrace], scene: Scene) -> None:
    traces.append(TableTrace.of(scene))


def _note(report: Report, name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except (Exception, Violated) as broken:
        report.broken.append(f"{name}: {type(broken).__name__}: {broken}")
