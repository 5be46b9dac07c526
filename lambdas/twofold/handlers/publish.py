"""Publish: prove conservation, complete the objects, flip the pointers."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.arns import Scope
from twofold.settings import Function, Settings
from twofold.stores.events import Events
from twofold.stores.objects import Bucket
from twofold.stores.table import Table
from twofold.workflow import publish
from twofold.workflow.orders import PublishInput


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.of(Function.PUBLISH, os.environ)
    step = PublishInput.model_validate(event)
    table, bucket = Table(settings.table), Bucket(settings.bucket)
    with telemetry.step(Function.PUBLISH, step.operation, context):
        settled = publish.publish(table, bucket, step.operation, step.plan, clock.now())
        if settled:
            Events(table, Scope.of_function(context.invoked_function_arn)).try_to_send(settled)
    return {}
