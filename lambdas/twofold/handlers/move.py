"""Move: carve one shard."""

import os
from typing import Any

from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import move
from twofold.workflow.orders import MoveInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.MOVE, os.environ)
    step = MoveInput.model_validate(event)
    move.move(Bucket(settings.bucket), step.operation, step.plan.source, step.shard)
    return {}
