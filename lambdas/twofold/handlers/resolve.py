"""Resolve: join the range indexes of an ingest into one index, and plan the transfer."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import get_quotas
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.memory import read_available_bytes
from twofold.workflow.messages import ResolveInput
from twofold.workflow.resolve import resolve_ranges


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the transfer plan of an ingest."""
    settings = Settings.from_environment(Function.RESOLVE, os.environ)
    state_input = ResolveInput.model_validate(event)
    bucket = Bucket(settings.bucket)
    with telemetry.track_step(Function.RESOLVE, state_input.operation, context):
        transfer_plan = resolve_ranges(
            bucket,
            state_input.operation,
            state_input.ranges,
            get_quotas(settings.quota_profile),
            read_available_bytes(context),
        )
    return transfer_plan.model_dump(mode="json", by_alias=True)
