"""Group: compute the group keys of the lines in one byte range."""

import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.group import group_range
from twofold.workflow.messages import GroupInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Store the hashes of the range's group keys."""
    settings = Settings.from_environment(Function.GROUP, os.environ)
    state_input = GroupInput.model_validate(event)
    with telemetry.track_step(Function.GROUP, state_input.operation, context) as counts:
        counts[Metric.ENTRIES] = group_range(
            Bucket(settings.bucket),
            state_input.operation,
            state_input.ranges.source,
            state_input.task,
        )
        counts[Metric.SHARDS] = 1
        counts[Metric.BYTES] = state_input.task.end - state_input.task.start
    return {}
