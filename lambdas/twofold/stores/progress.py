"""The progress of a running operation, counted from the scratch objects of the workers.

This takes two or three requests for up to 10,000 shards, and no writes by workers.
"""

from dataclasses import dataclass

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from twofold.errors import DamagedObjectError
from twofold.stores import sealed
from twofold.stores.folders import list_folders
from twofold.stores.keys import ScratchKeys, ScratchStep
from twofold.stores.objects import Bucket, LostObjectError


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` shards or ranges of one step; `message` is a sentence for the user."""

    step: str
    done: int
    total: int
    message: str


def read_progress(bucket: Bucket, operation: str) -> Progress | None:
    """Return the progress of an operation; None if no step has started, or if the read fails."""
    keys = ScratchKeys(operation)
    try:
        return _count_progress(bucket, keys, list_folders(bucket, keys.folder))
    except (ClientError, BotoCoreError, LostObjectError, DamagedObjectError):
        return None
    except (ValueError, TypeError):
        # The list of ranges is damaged. The operation will fail and report it.
        return None


def _count_progress(bucket: Bucket, keys: ScratchKeys, steps: frozenset[str]) -> Progress | None:
    if ScratchStep.TRANSFER in steps:
        total = orjson.loads(sealed.get(bucket, keys.assembly))["Shards"]
        return _build_progress(bucket, keys, ScratchStep.MOVE, total, "Moved {} of {} shards.")
    if ScratchStep.PLAN not in steps:
        return None
    total = len(orjson.loads(bucket.get(keys.ranges)))
    step, verb = (
        (ScratchStep.GROUP, "Grouped")
        if ScratchStep.GROUP in steps
        else (ScratchStep.INDEX, "Read")
    )
    return _build_progress(bucket, keys, step, total, f"{verb} {{}} of {{}} parts of the manifest.")


def _build_progress(
    bucket: Bucket, keys: ScratchKeys, step: ScratchStep, total: int, sentence: str
) -> Progress:
    # Each worker writes one folder when it has finished.
    done = min(total, len(list_folders(bucket, keys.build_step_folder(step))))
    return Progress(step.upper(), done, total, sentence.format(done, total))
