"""Shrink the sizes of S3 and Twofold, so that a few kilobytes make many ranges, shards, parts and joins."""

from functools import partial

import moto.s3.models
import pytest

from twofold.manifest.transfer import shards
from twofold.stores import objects
from twofold.workflow import plan, plan_transfer

MINIMUM = 600


def shrink_sizes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", MINIMUM)
    patch.setattr(shards, "MIN_PART_BYTES", MINIMUM)
    patch.setattr(shards, "PART_BYTES", 1_000)
    patch.setattr(shards, "MAX_SHARD_BYTES", 3_000)
    patch.setattr(plan_transfer, "cut_shards", partial(shards.cut_shards, shard_bytes=2_500))
    patch.setattr(plan, "RANGE_BYTES", 1_500)
    patch.setattr(objects, "CHUNK_BYTES", 700)
    patch.setattr(objects, "OVERRUN_BYTES", 90)
