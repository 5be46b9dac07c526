"""S3's sizes and ours by ten thousands smaller: some kilobytes make many ranges, shards, parts and joins."""

from functools import partial

import moto.s3.models
import pytest

from twofold.manifest import shards
from twofold.stores import objects
from twofold.workflow import carving, ingest

MINIMUM = 600


def shrink(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", MINIMUM)
    patch.setattr(shards, "MIN_PART_BYTES", MINIMUM)
    patch.setattr(shards, "PART_BYTES", 1_000)
    patch.setattr(shards, "MAX_SHARD_BYTES", 3_000)
    patch.setattr(carving, "cut", partial(shards.cut, shard_bytes=2_500))
    patch.setattr(ingest, "RANGE_BYTES", 1_500)
    patch.setattr(objects, "CHUNK_BYTES", 700)
    patch.setattr(objects, "OVERRUN_BYTES", 90)
