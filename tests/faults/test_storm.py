"""Concurrent clients of one project. `python -m tests storm` runs 200 for a minute; this test runs a few for seconds."""

from local.emulator.server import Emulator
from tests.faults.storm import run_storm


def test_concurrent_clients_see_no_error_and_lose_no_update(emulator: Emulator) -> None:
    storm = run_storm(emulator, clients=12, seconds=3)
    assert storm.violations == []
    assert storm.answers
    assert storm.refused
