"""Publish: check conservation, complete the objects, and set the pointers of the datasets to the new contents."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.objects import Bucket
from twofold.stores.table import Table
from twofold.workflow.messages import PublishInput
from twofold.workflow.publish import publish


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Complete the operation and send its event."""
    settings = Settings.from_environment(Function.PUBLISH, os.environ)
    state_input = PublishInput.model_validate(event)
    table, bucket = Table(settings.table), Bucket(settings.bucket)
    with telemetry.track_step(Function.PUBLISH, state_input.operation, context):
        operation_event = publish(
            table, bucket, state_input.operation, state_input.plan, clock.now()
        )
        if operation_event:
            Events(table, Scope.from_function_arn(context.invoked_function_arn)).try_to_send(
                operation_event
            )
    return {}
