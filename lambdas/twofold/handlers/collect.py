"""Collect: remove contents that nobody points to any more. Runs once a day."""

import os
from typing import Any

from twofold import clock, telemetry
from twofold.metrics import Metric
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.stores.table import Table
from twofold.workflow.collect import collect


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.COLLECT, os.environ)
    telemetry.begin(Function.COLLECT, context)
    table, bucket = Table(settings.table), Bucket(settings.bucket)
    collected = collect(table, bucket, int(settings.retention_days), clock.now())
    folders = telemetry.Measure({}, {Metric.COLLECTED: len(collected)})
    telemetry.tell("contents collected", folders, folders=collected)
    return {"Collected": collected}
