"""Manifests as pure values: no module here knows AWS, files or time.

- `line`: the rules of a line.
- `index`: the columnar index of a manifest.
- `grouping`: group keys of lines.
- `levels`: levels of balanced members of lines.
- `transfer`: shards, and moving lines of a source into manifests.
- `digests`: digests of lines.

Imports point downwards: `transfer`, `grouping` and `levels` import `index`, `index` imports `line`, and all may import
`digests`.
"""
