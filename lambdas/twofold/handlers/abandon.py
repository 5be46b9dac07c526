"""Abandon: end a failed operation. Every workflow ends here after an error."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.table import Table
from twofold.workflow.abandon import abandon
from twofold.workflow.messages import AbandonInput


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Set the operation's datasets to *_FAILED and send its event."""
    settings = Settings.from_environment(Function.ABANDON, os.environ)
    state_input = AbandonInput.model_validate(event)
    with telemetry.track_step(Function.ABANDON, state_input.operation, context):
        table = Table(settings.table)
        operation_event = abandon(table, state_input.operation, state_input.failure, clock.now())
        if operation_event:
            Events(table, Scope.from_function_arn(context.invoked_function_arn)).try_to_send(
                operation_event
            )
    return {}
