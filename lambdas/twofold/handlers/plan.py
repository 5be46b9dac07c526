"""Plan: divide a manifest into byte ranges, for an ingest or for a distribution by groups."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import get_quotas
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.messages import PlanInput
from twofold.workflow.plan import plan_ranges


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the byte ranges of the manifest."""
    settings = Settings.from_environment(Function.PLAN, os.environ)
    state_input = PlanInput.model_validate(event)
    with telemetry.track_step(Function.PLAN, state_input.operation, context):
        quotas = get_quotas(settings.quota_profile)
        ranges = plan_ranges(Bucket(settings.bucket), state_input.operation, quotas)
    return ranges.model_dump(mode="json", by_alias=True)
