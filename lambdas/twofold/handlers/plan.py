"""Plan: cut the source manifest of an ingest, or the manifest to be grouped of a distribution, into byte ranges."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import limits
from twofold.records import OperationKind
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import group, ingest
from twofold.workflow.orders import PlanInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.PLAN, os.environ)
    step = PlanInput.model_validate(event)
    with telemetry.step(Function.PLAN, step.operation, context):
        bucket = Bucket(settings.bucket)
        if step.operation.kind is OperationKind.DISTRIBUTE:
            found = group.plan(bucket, step.operation)
        else:
            found = ingest.plan(bucket, step.operation, limits(settings.quotas))
    return found.model_dump(mode="json", by_alias=True)
