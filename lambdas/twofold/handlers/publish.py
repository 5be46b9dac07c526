"""Publish: prove conservation, complete the objects, flip the pointers."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.stores.table import Table
from twofold.workflow import publish
from twofold.workflow.orders import PublishInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.PUBLISH, os.environ)
    step = PublishInput.model_validate(event)
    table, bucket = Table(settings.table), Bucket(settings.bucket)
    with telemetry.step(Function.PUBLISH, step.operation, context):
        publish.publish(table, bucket, step.operation, step.plan, clock.now())
    return {}
