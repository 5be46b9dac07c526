"""Select: choose the entries to test and order the carve."""

import os
from typing import Any

from twofold import telemetry
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import select
from twofold.workflow.orders import SelectInput
from twofold.workflow.room import room_in


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.SELECT, os.environ)
    step = SelectInput.model_validate(event)
    with telemetry.step(Function.SELECT, step.operation, context):
        carve = select.select(Bucket(settings.bucket), step.operation, room_in(context))
    return carve.model_dump(mode="json", by_alias=True)
