"""Batches of a campaign, each in a separate process."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.campaign import Counters, list_trials, run_schedule, run_trial
from tests.faults.damage import CleanRuns, Damage, ObjectRead, find_violation
from tests.faults.invariants import InvariantViolation
from tests.faults.scenario import Scenario
from tests.faults.simulated_service import SimulatedService, start_service
from tests.specification.recording import TableTrace
from tests.specification.tlc import AVAILABLE, check_traces


@dataclass
class Report:
    """Counts of a batch. `violations` name the trial or seed to repeat, and the error."""

    counters: Counters = field(default_factory=Counters)
    sites: int = 0
    trials: int = 0
    damages: int = 0
    tables: int = 0
    violations: list[str] = field(default_factory=list)


def run_trials(part: int, parts: int) -> Report:
    report = Report()
    with _start_silent_service() as service:
        all_trials = list(list_trials(service))
        report.sites = len({(trial.action, trial.site) for trial in all_trials})
        for trial in all_trials[part::parts]:
            _run_and_record(report, str(trial), partial(run_trial, service, trial))
            report.trials += 1
    return report


def run_damages(part: int, parts: int) -> Report:
    report = Report()
    with _start_silent_service() as service:
        clean_runs = CleanRuns(service)
        for kind, damage in clean_runs.list_damages()[part::parts]:
            _run_and_record(
                report,
                f"{kind.name}, {damage}",
                partial(_check_damage, service, clean_runs, kind, damage),
            )
            report.damages += 1
    return report


def _check_damage(
    service: SimulatedService, clean_runs: CleanRuns, kind: ObjectRead, damage: Damage
) -> None:
    violation = find_violation(service, clean_runs, kind, damage)
    assert not violation, violation


def run_schedules(seeds: range) -> Report:
    """Run the schedules of some seeds. Check the tables against the TLA+ specification if Java is installed."""
    report, traces = Report(), list[TableTrace]()
    with _start_silent_service() as service:
        for seed in seeds:
            _run_and_record(
                report, f"seed {seed}", partial(_run_schedule, report, service, seed, traces)
            )
    if AVAILABLE:
        _run_and_record(report, f"traces of {seeds}", partial(_check_traces, report, traces))
    return report


def _check_traces(report: Report, traces: list[TableTrace]) -> None:
    with TemporaryDirectory() as folder:
        report.tables += check_traces(Path(folder), [trace.format_tables() for trace in traces])


@contextmanager
def _start_silent_service() -> Iterator[SimulatedService]:
    """Start a deployment without logs, of megabytes for all faults."""
    logging.disable(logging.CRITICAL)
    with start_service() as service:
        yield service


def _run_schedule(
    report: Report, service: SimulatedService, seed: int, traces: list[TableTrace]
) -> None:
    watch = partial(_add_trace, traces)
    report.counters.add(run_schedule(service, seed, watch))


def _add_trace(traces: list[TableTrace], scenario: Scenario) -> None:
    traces.append(TableTrace.start(scenario))


def _run_and_record(report: Report, name: str, run: Callable[[], object]) -> None:
    try:
        run()
    except (Exception, InvariantViolation) as error:
        report.violations.append(f"{name}: {type(error).__name__}: {error}")
