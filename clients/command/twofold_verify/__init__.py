"""Verifies the files of a split without trust in the program behind the split.

Uses only the standard library and shares no code with the solver: labels, hashes and bounds are computed again, as
the documentation defines them. `python -m twofold_verify DIR` runs from a copy of this folder alone.

Read in this order:

- `__main__`, `catalogue`, `runner`: the command, the list of checks, and a check on a split.
- `report`, `report_schema`, `schema`, `strict_json`: read report.json.
- `manifests`, `source`, `lines`, `labels`, `levels`, `files`: read the manifests.
- `file_checks`, `source_checks`, `floors`, `balance_checks`, `level_checks`, `coverage_checks`, `optimum_check`,
  `label_pairs`, `order`, `similar_sources`, `report_warnings`: the checks.
- `bounds`, `dual_bound`, `swaps`: lower bounds and refutations. `keys`, `hashes`, `expressions`: sampling keys, XXH3,
  group keys.
"""
