"""Setup of worker processes with small sizes, in which each output of a shard is one part; see tests/support/small_sizes.py.

It runs on the bundle alone, so it imports nothing of the tests.
"""

from functools import partial

from twofold.manifest.transfer import shards
from twofold.stores import objects
from twofold.workflow import plan, plan_transfer

LEAST_PART = 100

SMALL = (
    (plan_transfer, "cut_shards", partial(shards.cut_shards, shard_bytes=6_000)),
    (plan, "RANGE_BYTES", 4_000),
    (objects, "CHUNK_BYTES", 700),
    (objects, "OVERRUN_BYTES", 1_000),
    (shards, "MAX_SHARD_BYTES", 3_000),
    (shards, "MIN_PART_BYTES", LEAST_PART),
    (shards, "PART_BYTES", 10_000),
)

if __name__ != "tests.support.small_worker":
    for module, name, size in SMALL:
        setattr(module, name, size)
