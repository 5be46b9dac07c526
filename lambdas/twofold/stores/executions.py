"""Step Functions: start executions and read their state. An execution has the name of its operation's id."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from twofold.records import Operation
from twofold.settings import Service, Workflow
from twofold.stores.clients import create_client

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=2, read_timeout=8)


@cache
def get_client() -> Any:
    return create_client(Service.STEP_FUNCTIONS, _CONFIG)


class ExecutionState(StrEnum):
    MISSING = "MISSING"
    RUNNING = "RUNNING"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Executions:
    """`machines` are the ARNs of the state machines or of their aliases."""

    machines: Mapping[Workflow, str]

    def start(self, operation: Operation) -> None:
        """Start the operation's execution, or do nothing if there is an execution with its name already."""
        try:
            get_client().start_execution(
                stateMachineArn=self._get_state_machine(operation),
                name=operation.id,
                input=f'{{"Operation":{operation.serialize()}}}',
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def build_arn(self, operation: Operation) -> str:
        """Return the ARN of the operation's execution. The ARN of an alias also leads to the execution's ARN."""
        *account, _, name = self._get_state_machine(operation).split(":")[:7]
        return ":".join([*account, "execution", name, operation.id])

    def get_state(self, operation: Operation) -> ExecutionState:
        try:
            execution = get_client().describe_execution(executionArn=self.build_arn(operation))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return ExecutionState.MISSING
            raise
        running = execution["status"] in ("RUNNING", "PENDING_REDRIVE")
        return ExecutionState.RUNNING if running else ExecutionState.ENDED

    def _get_state_machine(self, operation: Operation) -> str:
        return self.machines[operation.kind.workflow]
