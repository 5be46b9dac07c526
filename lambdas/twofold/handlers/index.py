"""Index: validate and index the lines of one byte range."""

import os
from typing import Any

from twofold.settings import Function, Settings
from twofold.stores.objects import Bucket
from twofold.workflow import ingest
from twofold.workflow.orders import IndexInput


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.of(Function.INDEX, os.environ)
    step = IndexInput.model_validate(event)
    ingest.index(Bucket(settings.bucket), step.operation, step.shard)
    return {}
