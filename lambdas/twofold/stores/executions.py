"""Step Functions: the only module that starts executions and looks at them. An execution's name is its operation's id."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from twofold.records import Operation
from twofold.settings import Service, Workflow
from twofold.stores.clients import client

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=2, read_timeout=8)


@cache
def _client() -> Any:
    return client(Service.STEP_FUNCTIONS, _CONFIG)


class ExecutionState(StrEnum):
    MISSING = "MISSING"
    RUNNING = "RUNNING"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Executions:
    """`machines` are the ARNs of the state machines, or of their aliases."""

    machines: Mapping[Workflow, str]

    def start(self, operation: Operation) -> None:
        """Idempotent: an execution of that name has been started for this operation, so it is not another one."""
        try:
            _client().start_execution(
                stateMachineArn=self._machine(operation),
                name=operation.id,
                input=f'{{"Operation":{operation.event()}}}',
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def arn(self, operation: Operation) -> str:
        """An execution belongs to the state machine, whatever alias it was started by: its ARN has no qualifier."""
        *account, _, name = self._machine(operation).split(":")[:7]
        return ":".join([*account, "execution", name, operation.id])

    def state(self, operation: Operation) -> ExecutionState:
        try:
            answer = _client().describe_execution(executionArn=self.arn(operation))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return ExecutionState.MISSING
            raise
        running = answer["status"] in ("RUNNING", "PENDING_REDRIVE")
        return ExecutionState.RUNNING if running else ExecutionState.ENDED

    def _machine(self, operation: Operation) -> str:
        return self.machines[operation.kind.workflow]
