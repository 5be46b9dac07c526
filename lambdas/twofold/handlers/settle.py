"""Settle: end the operations of failed executions, and send unsent events.

A schedule starts Settle every minute, and EventBridge when an execution fails, times out or is aborted.
"""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.executions import Executions
from twofold.stores.table import Table
from twofold.workflow.settle import settle_operations


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Settle the active operations and send the events in the outbox."""
    settings = Settings.from_environment(Function.SETTLE, os.environ)
    telemetry.start_invocation(Function.SETTLE, context)
    executions = Executions(settings.state_machines)
    table = Table(settings.table)
    try:
        return {
            "Settled": settle_operations(table, executions, clock.now(), _read_execution_arn(event))
        }
    finally:
        Events(table, Scope.from_function_arn(context.invoked_function_arn)).send_unsent()


def _read_execution_arn(event: dict[str, Any]) -> str | None:
    """Return the ARN of the execution in an event of Step Functions; None for the schedule and for a running execution."""
    if event.get("source") != "aws.states":
        return None
    detail: dict[str, str] = event["detail"]
    return detail["executionArn"] if detail["status"] != "RUNNING" else None
