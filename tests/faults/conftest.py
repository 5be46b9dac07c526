"""The service in this process, for faults by the thousand."""

from collections.abc import Iterator

import pytest

from tests.faults.scene import Stage, stage


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as found:
        yield found
