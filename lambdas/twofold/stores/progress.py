"""How far a running operation is, told from what its workers have left in scratch; nobody writes it down.

Two or three requests, whatever the number of shards up to 10,000.
"""

from dataclasses import dataclass

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from twofold.errors import DamagedObjectError
from twofold.stores import keys, sealed
from twofold.stores.folders import folders
from twofold.stores.objects import Bucket, LostObjectError


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` pieces of work of one step; `message` is a sentence."""

    step: str
    done: int
    total: int
    message: str


def progress(bucket: Bucket, operation: str) -> Progress | None:
    """None while there is nothing to count, or if it cannot be learned now."""
    try:
        return _counted(bucket, operation, folders(bucket, keys.scratch_folder(operation)))
    except (ClientError, BotoCoreError, LostObjectError, DamagedObjectError):
        return None
    except (ValueError, TypeError):
        # The list of ranges is no list; the operation will notice and say so.
        return None


def _counted(bucket: Bucket, operation: str, steps: frozenset[str]) -> Progress | None:
    if "carve" in steps:
        total = orjson.loads(sealed.get(bucket, keys.assembly(operation)))["Shards"]
        return _told(bucket, operation, "move", total, "Moved {} of {} shards.")
    if "plan" not in steps:
        return None
    total = len(orjson.loads(bucket.get(keys.ranges(operation))))
    if "group" in steps:
        return _told(bucket, operation, "group", total, "Grouped {} of {} parts of the manifest.")
    return _told(bucket, operation, "index", total, "Read {} of {} parts of the manifest.")


def _told(bucket: Bucket, operation: str, step: str, total: int, sentence: str) -> Progress:
    done = min(total, len(folders(bucket, keys.scratch_folder(operation, step))))
    return Progress(step.upper(), done, total, sentence.format(done, total))
