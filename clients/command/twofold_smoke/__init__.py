"""A smoke test of a deployed service (`make smoke`): runs the main job through the public API and removes its resources.

`__main__` runs and times the steps; `smoke_run` has the steps.
"""
