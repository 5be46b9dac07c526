"""Retry policies of throttled tasks, read from the shipped ASL files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from bench.usage import CALL_SECONDS
from twofold.settings import Workflow

INFRA = Path(__file__).parents[1] / "infra"
THROTTLED = "Lambda.TooManyRequestsException"
LIFE_SECONDS = {"EXPRESS": 300.0, "STANDARD": inf}
"""The maximum duration of a child execution, by its type."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The retry policy of a task for one error, with full jitter; in seconds."""

    interval: float
    attempts: int
    backoff: float
    longest: float

    @property
    def mean_wait(self) -> float:
        """The mean seconds until a task fails that is throttled at every attempt."""
        delays = (self._compute_max_delay(attempt) / 2 for attempt in range(self.attempts))
        return sum(delays) + self.attempts * CALL_SECONDS

    def draw_delay(self, attempt: int, random: Random) -> float:
        """Draw the delay after `attempt`, counted from 0."""
        return random.uniform(0, self._compute_max_delay(attempt))

    def _compute_max_delay(self, attempt: int) -> float:
        # The exponent is limited so that the power does not overflow.
        return min(self.longest, self.interval * self.backoff ** min(attempt, 64))


@dataclass(frozen=True, slots=True)
class MapPolicy:
    """The policy of the children of a Map, from an ASL file."""

    retry: Retry
    workers: int
    life: float


EARLIER = Retry(interval=1, attempts=6, backoff=2.0, longest=20)
"""An earlier policy for all errors of Lambda."""


def read_retry(task: dict[str, Any]) -> Retry:
    """The retry policy of a Task state for a throttled invocation."""
    (rule,) = (rule for rule in task["Retry"] if THROTTLED in rule["ErrorEquals"])
    return Retry(
        rule["IntervalSeconds"], rule["MaxAttempts"], rule["BackoffRate"], rule["MaxDelaySeconds"]
    )


def read_machine(workflow: Workflow) -> dict[str, Any]:
    """The shipped definition of a workflow."""
    text = (INFRA / f"{workflow}.asl.json").read_text(encoding="utf-8")
    machine: dict[str, Any] = json.loads(text)
    return machine


def read_policies(workflow: Workflow) -> Iterator[MapPolicy]:
    """Yield the policy of each Map of the shipped definition."""
    for state in read_machine(workflow)["States"].values():
        if state["Type"] == "Map":
            processor = state["ItemProcessor"]
            (task,) = processor["States"].values()
            life = LIFE_SECONDS[processor["ProcessorConfig"]["ExecutionType"]]
            yield MapPolicy(read_retry(task), state["MaxConcurrency"], life)


def read_map_policy() -> MapPolicy:
    """The common policy of all Maps. Raises ValueError if Maps differ."""
    (policy,) = {policy for workflow in Workflow for policy in read_policies(workflow)}
    return policy


def read_step_retry() -> Retry:
    """The common policy of all tasks outside Maps. Raises ValueError if tasks differ."""
    states = (state for workflow in Workflow for state in read_machine(workflow)["States"].values())
    (retry,) = {read_retry(state) for state in states if state["Type"] == "Task"}
    return retry
