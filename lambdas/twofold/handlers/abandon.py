"""Abandon: the failure path of every workflow."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.table import Table
from twofold.workflow import end
from twofold.workflow.orders import AbandonInput


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.of(Function.ABANDON, os.environ)
    step = AbandonInput.model_validate(event)
    with telemetry.step(Function.ABANDON, step.operation, context):
        table = Table(settings.table)
        settled = end.abandon(table, step.operation, step.failure, clock.now())
        if settled:
            Events(table, Scope.of_function(context.invoked_function_arn)).try_to_send(settled)
    return {}
