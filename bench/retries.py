"""How often and how long throttled tasks try again: read from the ASL files that ship."""

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
"""Of a child execution, by its type; AWS ends it then."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How a task tries again after one error, with full jitter; in seconds."""

    interval: float
    attempts: int
    backoff: float
    longest: float

    @property
    def mean_wait(self) -> float:
        """Seconds until a task that is throttled at every attempt fails, on average."""
        delays = (self._bound(attempt) / 2 for attempt in range(self.attempts))
        return sum(delays) + self.attempts * CALL_SECONDS

    def draw_delay(self, attempt: int, random: Random) -> float:
        """Before the attempt that follows `attempt` (from 0)."""
        return random.uniform(0, self._bound(attempt))

    def _bound(self, attempt: int) -> float:
        # The exponent is bounded where the power would overflow.
        return min(self.longest, self.interval * self.backoff ** min(attempt, 64))


@dataclass(frozen=True, slots=True)
class MapPolicy:
    """What an ASL file says of the children of a Map."""

    retry: Retry
    workers: int
    life: float


EARLIER = Retry(interval=1, attempts=6, backoff=2.0, longest=20)
"""One policy for all errors of Lambda."""


def read_retry(task: dict[str, Any]) -> Retry:
    """Of a Task state, for a throttled invocation."""
    (rule,) = (rule for rule in task["Retry"] if THROTTLED in rule["ErrorEquals"])
    return Retry(
        rule["IntervalSeconds"], rule["MaxAttempts"], rule["BackoffRate"], rule["MaxDelaySeconds"]
    )


def read_machine(workflow: Workflow) -> dict[str, Any]:
    """The definition that ships."""
    text = (INFRA / f"{workflow}.asl.json").read_text(encoding="utf-8")
    machine: dict[str, Any] = json.loads(text)
    return machine


def read_policies(workflow: Workflow) -> Iterator[MapPolicy]:
    """Of each Map of the shipped definition."""
    for state in read_machine(workflow)["States"].values():
        if state["Type"] == "Map":
            processor = state["ItemProcessor"]
            (task,) = processor["States"].values()
            life = LIFE_SECONDS[processor["ProcessorConfig"]["ExecutionType"]]
            yield MapPolicy(read_retry(task), state["MaxConcurrency"], life)


def shipped() -> MapPolicy:
    """The one policy that all Maps have; raises ValueError if they differ."""
    (policy,) = {policy for workflow in Workflow for policy in read_policies(workflow)}
    return policy


def shipped_step() -> Retry:
    """The one policy of all tasks outside of Maps, which live as long as the workflow; raises ValueError if they differ."""
    states = (state for workflow in Workflow for state in read_machine(workflow)["States"].values())
    (retry,) = {read_retry(state) for state in states if state["Type"] == "Task"}
    return retry
