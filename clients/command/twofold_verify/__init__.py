"""Checks a split without trusting the program that made it.

Standard library only, and not a line in common with the solver: labels are read, hashes computed and optima bounded here
once more, from the documents alone. `python -m twofold_verify DIR` runs from a bare copy of this folder.
"""
