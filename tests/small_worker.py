"""Setup of worker processes in which sizes are small, and each piece of a shard is one part; see tests/small.py.

It runs on the bundle alone, so it imports nothing of the tests.
"""

from functools import partial

from twofold.manifest import shards
from twofold.stores import objects
from twofold.workflow import carving, ingest

LEAST_PART = 100

SMALL = (
    (carving, "cut", partial(shards.cut, shard_bytes=6_000)),
    (ingest, "RANGE_BYTES", 4_000),
    (objects, "CHUNK_BYTES", 700),
    (objects, "OVERRUN_BYTES", 1_000),
    (shards, "MAX_SHARD_BYTES", 3_000),
    (shards, "MIN_PART_BYTES", LEAST_PART),
    (shards, "PART_BYTES", 10_000),
)

if __name__ != "tests.small_worker":
    for module, name, size in SMALL:
        setattr(module, name, size)
