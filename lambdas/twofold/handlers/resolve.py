"""Resolve: join the ranges' pieces into one index and order the carve."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import limits
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import ingest
from twofold.workflow.orders import ResolveInput
from twofold.workflow.room import room_in


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.RESOLVE, os.environ)
    step = ResolveInput.model_validate(event)
    bucket = Bucket(settings.bucket)
    with telemetry.step(Function.RESOLVE, step.operation, context):
        carve = ingest.resolve_pieces(
            bucket, step.operation, step.plan, limits(settings.quotas), room_in(context)
        )
    return carve.model_dump(mode="json", by_alias=True)
