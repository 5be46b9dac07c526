"""Settle: end what nobody else ends, and send the events that nobody else has sent.

Runs every minute, and when an execution fails, times out or is aborted; the event then names the execution.
"""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.executions import Executions
from twofold.stores.table import Table
from twofold.workflow import end


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.of(Function.SETTLE, os.environ)
    telemetry.begin(Function.SETTLE, context)
    executions = Executions(settings.state_machines)
    table = Table(settings.table)
    try:
        return {"Settled": end.settle(table, executions, clock.now(), _ended(event))}
    finally:
        Events(table, Scope.of_function(context.invoked_function_arn)).send_waiting()


def _ended(event: dict[str, Any]) -> str | None:
    """The ARN of the execution that Step Functions tells the end of."""
    if event.get("source") != "aws.states":
        return None
    detail: dict[str, str] = event["detail"]
    return detail["executionArn"] if detail["status"] != "RUNNING" else None
