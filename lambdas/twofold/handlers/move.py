"""Move: carve one shard."""

import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import move
from twofold.workflow.orders import MoveInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.MOVE, os.environ)
    step = MoveInput.model_validate(event)
    with telemetry.step(Function.MOVE, step.operation, context) as counts:
        record = move.move(Bucket(settings.bucket), step.operation, step.plan.source, step.shard)
        counts[Metric.SHARDS] = 1
        counts[Metric.ENTRIES] = sum(side.entries for side in record.sides)
        counts[Metric.BYTES] = sum(side.bytes for side in record.sides)
    return {}
