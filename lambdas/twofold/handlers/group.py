"""Group: find the groups of the lines of one byte range."""

import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import group
from twofold.workflow.orders import GroupInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.GROUP, os.environ)
    step = GroupInput.model_validate(event)
    with telemetry.step(Function.GROUP, step.operation, context) as counts:
        counts[Metric.ENTRIES] = group.group(
            Bucket(settings.bucket), step.operation, step.plan.source, step.shard
        )
        counts[Metric.SHARDS] = 1
        counts[Metric.BYTES] = step.shard.end - step.shard.start
    return {}
