"""Merge: match the lines of an update with the existing entries, and plan the transfer."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import get_quotas
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.memory import read_available_bytes
from twofold.workflow.merge import merge_changes
from twofold.workflow.messages import MergeInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the transfer plan of an update."""
    settings = Settings.from_environment(Function.MERGE, os.environ)
    state_input = MergeInput.model_validate(event)
    bucket = Bucket(settings.bucket)
    with telemetry.track_step(Function.MERGE, state_input.operation, context):
        transfer_plan = merge_changes(
            bucket,
            state_input.operation,
            get_quotas(settings.quota_profile),
            read_available_bytes(context),
        )
    return transfer_plan.model_dump(mode="json", by_alias=True)
