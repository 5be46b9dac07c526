"""Move: transfer the lines of one shard."""

import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.messages import MoveInput
from twofold.workflow.move import transfer_shard


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write the shard's lines to their sides, and store its record."""
    settings = Settings.from_environment(Function.MOVE, os.environ)
    state_input = MoveInput.model_validate(event)
    with telemetry.track_step(Function.MOVE, state_input.operation, context) as counts:
        record = transfer_shard(
            Bucket(settings.bucket),
            state_input.operation,
            state_input.plan.source,
            state_input.task,
        )
        counts[Metric.SHARDS] = 1
        counts[Metric.ENTRIES] = sum(output.entries for output in record.sides)
        counts[Metric.BYTES] = sum(output.bytes for output in record.sides)
    return {}
