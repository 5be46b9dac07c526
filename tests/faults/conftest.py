"""Fixtures for fault injection in this process."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from tests.faults.simulated_service import SimulatedService, start_service

WAIT_FRACTION = 0.02
"""Fraction of the state machine's retry intervals that tests wait."""


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the retry intervals of the emulator's state machines."""
    hurry = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * WAIT_FRACTION))
    monkeypatch.setattr(retrier_decl, "time", hurry)


@pytest.fixture(scope="module")
def service() -> Iterator[SimulatedService]:
    with start_service() as service:
        yield service
