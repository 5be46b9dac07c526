"""Merge: match changed lines with the entries that they replace, and order the carve."""

import os
from typing import Any

from twofold import telemetry
from twofold.quotas import limits
from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import merge
from twofold.workflow.orders import MergeInput
from twofold.workflow.room import room_in


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.MERGE, os.environ)
    step = MergeInput.model_validate(event)
    bucket = Bucket(settings.bucket)
    with telemetry.step(Function.MERGE, step.operation, context):
        carve = merge.merge_changes(
            bucket, step.operation, limits(settings.quotas), room_in(context)
        )
    return carve.model_dump(mode="json", by_alias=True)
