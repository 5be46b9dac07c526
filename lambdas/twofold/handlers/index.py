"""Index: validate and index the lines of one byte range."""

import gc
import os
from typing import Any

from twofold import telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import ingest
from twofold.workflow.orders import IndexInput

# Indexing makes many small objects and no cycles of them; looking for cycles takes a twelfth of its time.
gc.set_threshold(100_000)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.INDEX, os.environ)
    step = IndexInput.model_validate(event)
    with telemetry.step(Function.INDEX, step.operation, context) as counts:
        counts[Metric.ENTRIES] = ingest.index(Bucket(settings.bucket), step.operation, step.shard)
        counts[Metric.SHARDS] = 1
        counts[Metric.BYTES] = step.shard.end - step.shard.start
    return {}
