"""Damaged objects fail the operation with a reason and change nothing, or have no effect on the result."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.faults.damage import CleanRuns, Damage, ObjectRead, find_violation
from tests.faults.simulated_service import SimulatedService


def _sample_damages(
    damages: Iterable[tuple[ObjectRead, Damage]],
) -> Iterator[tuple[ObjectRead, Damage]]:
    """Yield one damage of each object, of the rarest kind so far. `make faults` tries all."""
    kinds_by_read: dict[ObjectRead, list[Damage]] = {}
    for object_read, damage in damages:
        kinds_by_read.setdefault(object_read, []).append(damage)
    counts: Counter[Damage] = Counter()
    for object_read, kinds in kinds_by_read.items():
        rarest = min(kinds, key=counts.__getitem__)
        counts[rarest] += 1
        yield object_read, rarest


def test_damage_fails_an_operation_or_makes_no_difference(service: SimulatedService) -> None:
    harmless = CleanRuns(service)
    assert len(harmless.object_reads) > 25
    damages = list(_sample_damages(harmless.list_damages()))
    assert {damage for _, damage in damages} == set(Damage)
    violations = [find_violation(service, harmless, kind, damage) for kind, damage in damages]
    assert [violation for violation in violations if violation] == []
