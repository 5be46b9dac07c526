"""A sample of each target; `make fuzz MINUTES=n` is the long campaign."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, attempt


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[*HealthCheck])
def test_whatever_comes_in_is_read_or_refused(name: str, data: st.DataObject) -> None:
    strategy, target = TARGETS[name]
    attempt(target, data.draw(strategy))
