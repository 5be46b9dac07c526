"""Damage is noticed: the operation fails with a reason and changes nothing, or the damage made no difference at all."""

from tests.faults.damage import Harmless, complaint
from tests.faults.scene import Stage

SAMPLED = 3
"""Every third of what `make faults` tries."""


def test_damage_fails_an_operation_or_makes_no_difference(the_stage: Stage) -> None:
    harmless = Harmless(the_stage)
    assert len(harmless.kinds) > 25
    blows = harmless.blows()[::SAMPLED]
    found = [complaint(the_stage, harmless, kind, damage) for kind, damage in blows]
    assert [one for one in found if one] == []
