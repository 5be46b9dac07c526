"""Transfer: take lines out of a source object and write the lines of each side to a separate object.

Sides are training and test set, or accepted and rejected lines. Read in this order:

- `shards`: cut a transfer into shards, and plan the parts of the multipart uploads.
- `shard_transfer`: transfer the lines of a shard as the source streams by.
- `splice`, `merge`: changed lines and the lines of a dataset as a single source, and the index of the result.
"""
