"""Build tools for the bundle of the Lambda functions. This package does not ship.

`bundling` builds the bundle; `packages` lists its packages with licences and sizes; `__main__` writes docs/bundle.md.
"""
