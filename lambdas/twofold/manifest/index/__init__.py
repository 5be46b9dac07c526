"""The columnar index of a manifest: the data of each line for later steps, which then read single lines only.

Read in this order:

- `columns`: the file format, a container of named NumPy columns.
- `source_hashes`, `numbering`, `error_codes`: hashes of source-refs, numbers of labels, error codes of entries.
- `dataset_index`: the index of a dataset.
- `range_index`, `range_indexer`: the index of a byte range of a source manifest, and building the index from lines.
- `hash_collisions`: entries with equal hashes.
- `resolve`: joins the indexes of all ranges to the index of the dataset, without duplicates.
- `concatenation`: joins the indexes of two datasets.
- `acceptance`: whether the result can be a dataset.
"""
