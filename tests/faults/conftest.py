"""Fixtures for fault injection in this process."""

from collections.abc import Iterator

import pytest

from tests.faults.simulated_service import SimulatedService, start_service


@pytest.fixture(scope="module")
def service() -> Iterator[SimulatedService]:
    with start_service() as service:
        yield service
