"""A sample of each target; `python -m tests fuzz MINUTES` is the long campaign."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, run_target


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[*HealthCheck])
def test_whatever_comes_in_is_read_or_refused(name: str, data: st.DataObject) -> None:
    strategy, target = TARGETS[name]
    run_target(target, data.draw(strategy))
