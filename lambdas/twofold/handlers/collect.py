"""Collect: delete contents without references from datasets, after the retention time. A daily schedule starts Collect."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.stores.table import Table
from twofold.workflow.collect import collect_retired_folders


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Delete the folders and return the names."""
    settings = Settings.from_environment(Function.COLLECT, os.environ)
    telemetry.start_invocation(Function.COLLECT, context)
    table, bucket = Table(settings.table), Bucket(settings.bucket)
    collected = collect_retired_folders(table, bucket, int(settings.retention_days), clock.now())
    folders = telemetry.Measurement({}, {Metric.COLLECTED: len(collected)})
    telemetry.emit("contents collected", folders, folders=collected)
    return {"Collected": collected}
