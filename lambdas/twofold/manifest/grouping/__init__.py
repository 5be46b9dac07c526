"""Group keys: entries with the same key are never split between training and test set.

Read in this order:

- `group_by`: the key of a line, and the keys of many lines.
- `dialect`: regular expressions with the same meaning in RE2 and Python's `re`.
- `group_table`: the groups of a range as arrays, and joining the tables of all ranges.
"""
