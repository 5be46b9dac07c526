"""`python -m bench throttling` (also part of `bench simulate`): jobs in an account with fewer executions than workers.

A discrete-event model of Distributed Maps. The number of children of a Map, the retries of a throttled child and its maximum
duration come from the ASL files (bench/retries.py). Shares of failed jobs are averages over many seeds.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count
from math import inf
from random import Random

from bench.retries import EARLIER, MapPolicy, Retry, read_map_policy
from bench.usage import CALL_SECONDS

START_SECONDS = (0.05, 0.15)
"""Seconds from the end of a child to the first attempt of the next child."""
WORK_SECONDS = (1.4, 3.0)
"""Seconds of a shard of 64 MiB, read and written at the S3 throughput of a Lambda function."""
NEW_ACCOUNT, FEWER_WORKERS = 10, 5
SHARDS = (90, 100, 180, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Load:
    """The load of an account.

    `jobs` of `shards` shards each start together, and with them a step of another operation (a Publish, an Abandon) for each
    policy in `steps`. At the start other functions of the account use all executions for `held` seconds.
    """

    shards: int
    jobs: int = 1
    steps: tuple[Retry, ...] = ()
    held: float = 0.0


class _Event(Enum):
    ATTEMPT = auto()
    END = auto()
    RELEASE = auto()


@dataclass(slots=True)
class _Child:
    """A child of a Map, or a step. `job` counts the jobs first, then the steps."""

    job: int
    born: float
    retry: Retry
    life: float
    attempts: int = 0


@dataclass(slots=True)
class Simulation:
    """A run. `failed` has the jobs that lost a shard and the failed steps, `full` the seconds without a free execution."""

    policy: MapPolicy
    concurrency: int
    load: Load
    random: Random
    failed: set[int] = field(default_factory=set)
    longest_wait: float = 0.0
    throttles: int = 0
    full: float = 0.0
    now: float = 0.0
    _free: int = 0
    _waiting: Counter[int] = field(default_factory=Counter)
    _queue: list[tuple[float, int, _Event, _Child | None]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self) -> "Simulation":
        load = self.load
        self._free = 0 if load.held else self.concurrency
        self._schedule_event(load.held, _Event.RELEASE, None)
        for job in range(load.jobs):
            self._waiting[job] = load.shards
            for _ in range(self.policy.workers):
                self._start_child(job)
        for number, retry in enumerate(load.steps, load.jobs):
            self._schedule_event(0, _Event.ATTEMPT, _Child(number, 0, retry, inf))
        while self._queue:
            time, _, event, child = heapq.heappop(self._queue)
            self.full += (time - self.now) * (self._free == 0)
            self.now = time
            self._handle(event, child)
        return self

    def _handle(self, event: _Event, child: _Child | None) -> None:
        if child is None:
            self._free = self.concurrency if self.load.held else self._free
        elif event is _Event.END:
            self._free += 1
            self._start_child(child.job)
        elif self._free:
            self._run_child(child)
        else:
            self._retry_child(child)

    def _run_child(self, child: _Child) -> None:
        waited, seconds = self.now - child.born, self.random.uniform(*WORK_SECONDS)
        self.longest_wait = max(self.longest_wait, waited)
        if waited + seconds > child.life:
            self.failed.add(child.job)
        self._free -= 1
        self._schedule_event(seconds, _Event.END, child)

    def _retry_child(self, child: _Child) -> None:
        self.throttles += 1
        if self.now - child.born > child.life or child.attempts == child.retry.attempts:
            self.failed.add(child.job)
            self._start_child(child.job)
            return
        delay = CALL_SECONDS + child.retry.draw_delay(child.attempts, self.random)
        child.attempts += 1
        self._schedule_event(delay, _Event.ATTEMPT, child)

    def _start_child(self, job: int) -> None:
        """Start the next child of a Map if shards remain."""
        if self._waiting[job]:
            self._waiting[job] -= 1
            delay = self.random.uniform(*START_SECONDS)
            child = _Child(job, self.now + delay, self.policy.retry, self.policy.life)
            self._schedule_event(delay, _Event.ATTEMPT, child)

    def _schedule_event(self, delay: float, event: _Event, child: _Child | None) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._numbers), event, child))


def simulate(policy: MapPolicy, concurrency: int, load: Load, seed: int) -> Simulation:
    return Simulation(policy, concurrency, load, Random(seed)).run()


@dataclass(frozen=True, slots=True)
class SimulationSummary:
    """A summary of runs: shares of failed jobs and of full time, mean `seconds`, maximum `longest_wait`."""

    failed: float
    full: float
    seconds: float
    longest_wait: float


def repeat(
    policy: MapPolicy, load: Load, runs: int, concurrency: int = NEW_ACCOUNT
) -> SimulationSummary:
    """Simulate with the seeds 0 to `runs - 1`."""
    simulations = [simulate(policy, concurrency, load, seed) for seed in range(runs)]
    seconds = sum(simulation.now for simulation in simulations)
    return SimulationSummary(
        failed=sum(len(simulation.failed) for simulation in simulations)
        / (runs * (load.jobs + len(load.steps))),
        full=sum(simulation.full for simulation in simulations) / seconds,
        seconds=seconds / runs,
        longest_wait=max(simulation.longest_wait for simulation in simulations),
    )


def choose_run_count(shards: int) -> int:
    """The number of runs that take a few seconds."""
    return 100 if shards < 1_000 else 10 if shards < 10_000 else 3


def render_table() -> str:
    """A Markdown table for an account of NEW_ACCOUNT executions, with the earlier and the current retries."""
    now = read_map_policy()
    earlier, fewer = replace(now, retry=EARLIER), replace(now, workers=FEWER_WORKERS)
    lines = [
        f"| shards | earlier retries, {now.workers} workers: failed | now, {now.workers} workers: failed | time | longest wait "
        f"| nothing free | now, {FEWER_WORKERS} workers: failed | time | nothing free |",
        "| ---: |" + " ---: |" * 8,
    ]
    for shards in SHARDS:
        load, runs = Load(shards), choose_run_count(shards)
        before, many, few = (repeat(policy, load, runs) for policy in (earlier, now, fewer))
        lines.append(
            f"| {shards:,} | {before.failed:.0%} | {many.failed:.0%} | {many.seconds:,.0f} s | {many.longest_wait:.0f} s "
            f"| {many.full:.0%} | {few.failed:.0%} | {few.seconds:,.0f} s | {few.full:.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(render_table())
