"""Settle: end what nobody else ends. Runs every minute, and when an execution fails, times out or is aborted."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.settings import Function, Settings
from twofold.stores.executions import Executions
from twofold.stores.table import Table
from twofold.workflow import end


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.SETTLE, os.environ)
    telemetry.begin(Function.SETTLE, context)
    executions = Executions(settings.state_machines)
    return {"Settled": end.settle(Table(settings.table), executions, clock.now())}
