"""Splitters side by side, on the same data in one run: `make bench`. Nothing here ships."""
