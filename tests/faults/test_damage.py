"""Damaged objects fail the operation with a reason and change nothing, or have no effect on the result."""

from tests.faults.damage import CleanRuns, find_violation
from tests.faults.simulated_service import SimulatedService

SAMPLED = 3
"""Every third damage of `make faults`."""


def test_damage_fails_an_operation_or_makes_no_difference(service: SimulatedService) -> None:
    harmless = CleanRuns(service)
    assert len(harmless.object_reads) > 25
    damages = harmless.list_damages()[::SAMPLED]
    violations = [find_violation(service, harmless, kind, damage) for kind, damage in damages]
    assert [violation for violation in violations if violation] == []
