"""Clients at once in the service in this process: their history is linearizable, and with a weaker condition it is not."""

import pytest

from tests.faults.interrupted import interrupted
from tests.faults.recorded import Recorded
from tests.faults.scene import Job, Stage
from tests.faults.test_protocol import claim_of_changed, weaken
from twofold.stores.table import operations


def history(stage: Stage, job: Job) -> Recorded:
    with interrupted(stage, job) as scene, scene.theatre.outside.looking():
        scene.recorded.read()
    return scene.recorded


@pytest.mark.parametrize("job", [Job.UPDATE, Job.DISTRIBUTE])
def test_a_claim_of_what_another_changed_meanwhile(
    the_stage: Stage, monkeypatch: pytest.MonkeyPatch, job: Job
) -> None:
    history(the_stage, job).require_linearizable()
    weaken(monkeypatch, operations, "_claim", claim_of_changed)
    with pytest.raises(AssertionError, match="not linearizable"):
        history(the_stage, job).require_linearizable()
