"""Many clients in one project at once. `make storm` has 200 of them for a minute; here are a few for a moment."""

from local.stack import Stack
from tests.faults.storm import storm


def test_clients_at_once_see_no_fault_and_lose_no_update(stack: Stack) -> None:
    found = storm(stack, clients=12, seconds=3)
    assert found.broken == []
    assert found.answers
    assert found.refused
