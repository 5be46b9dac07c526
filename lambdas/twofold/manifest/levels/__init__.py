"""Levels: values of further members of the lines, which are balanced like labels.

Read in this order:

- `balance_by`: the balanced members, and the values of a line.
- `level_table`: the values of a range as arrays, and joining the tables of all ranges to levels and quantiles.
"""
