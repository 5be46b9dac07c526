"""Manifests as pure values: lines, the columnar index, shards and carving."""
