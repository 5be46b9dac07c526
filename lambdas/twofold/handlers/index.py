"""Index: validate and index the lines of one byte range."""

import gc
import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow.index import index_range
from twofold.workflow.messages import IndexInput

# Indexing allocates many small objects without reference cycles; the default threshold costs 8 % of the time.
gc.set_threshold(100_000)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Index the byte range and store its range index."""
    settings = Settings.from_environment(Function.INDEX, os.environ)
    state_input = IndexInput.model_validate(event)
    with telemetry.track_step(Function.INDEX, state_input.operation, context) as counts:
        counts[Metric.ENTRIES] = index_range(
            Bucket(settings.bucket), state_input.operation, state_input.task
        )
        counts[Metric.SHARDS] = 1
        counts[Metric.BYTES] = state_input.task.end - state_input.task.start
    return {}
