"""Select: choose the entries of the test set and plan the transfer."""

import os
from typing import Any

from twofold import telemetry
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.memory import read_available_bytes
from twofold.workflow.messages import SelectInput
from twofold.workflow.select import select_entries


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the transfer plan of a distribution."""
    settings = Settings.from_environment(Function.SELECT, os.environ)
    state_input = SelectInput.model_validate(event)
    with telemetry.track_step(Function.SELECT, state_input.operation, context):
        transfer_plan = select_entries(
            Bucket(settings.bucket), state_input.operation, read_available_bytes(context)
        )
    return transfer_plan.model_dump(mode="json", by_alias=True)
