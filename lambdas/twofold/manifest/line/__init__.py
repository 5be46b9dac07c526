"""A line of a manifest: rejection or entry, labels, errors, and the text in a listing.

Rules and limits follow the Rekognition Custom Labels developer guide ("Creating a manifest file", "Non-terminal errors").
Read in this order:

- `limits`: the limits.
- `errors`: codes and messages, both of rejected lines and of entries with errors.
- `document`: parses or rejects a line.
- `findings`, `attributes`, `boxes`: the rules for labels, complete and in Python.
- `entry`: a line as an `Entry`, for callers with few lines.
- `fast_decoders`, `fast_reader`: read lines without errors several times faster than the rules.
- `json_outline`, `listing`: the text in ListDatasetEntries.
- `byte_ranges`: the lines of a byte range of a manifest.
"""
