"""Abandon: the failure path of every workflow."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.settings import Function, Settings
from twofold.stores.table import Table
from twofold.workflow import end
from twofold.workflow.orders import AbandonInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.ABANDON, os.environ)
    step = AbandonInput.model_validate(event)
    with telemetry.step(Function.ABANDON, step.operation, context):
        end.abandon(Table(settings.table), step.operation, step.failure, clock.now())
    return {}
