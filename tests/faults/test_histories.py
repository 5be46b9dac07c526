"""Clients at once in the service in this process: their history is linearizable, and with a weaker condition it is not."""

from functools import partial

import pytest

from tests.faults.company import Company
from tests.faults.recorded import Recorded
from tests.faults.scene import Job, Scene, Stage
from tests.faults.test_protocol import claim_of_changed, weaken
from twofold.stores.table import operations


def history(stage: Stage, job: Job) -> Recorded:
    """Of a client that has read the datasets and is to claim them when another updates them, with reads before and after."""
    with stage.scene(job) as scene:
        outside, company = scene.theatre.outside, scene.theatre.company
        outside.passing = lambda call, done: None if done else scene.theatre.passing()
        company.spawn("slow client", partial(scene.do, job))
        while not claims(scene):
            turn(company)
        slow = company.alive.pop()
        company.spawn("fast client", partial(scene.do, Job.UPDATE))
        for others in ([slow], []):
            company.play()
            with outside.looking():
                scene.recorded.read()
            company.alive += others
    return scene.recorded


def claims(scene: Scene) -> bool:
    calls = scene.theatre.outside.calls
    return bool(calls) and calls[-1].operation == "TransactWriteItems"


def turn(company: Company) -> None:
    (actor,) = company.alive
    actor.turn.release()
    company._back.acquire()


@pytest.mark.parametrize("job", [Job.UPDATE, Job.DISTRIBUTE])
def test_a_claim_of_what_another_changed_meanwhile(
    the_stage: Stage, monkeypatch: pytest.MonkeyPatch, job: Job
) -> None:
    history(the_stage, job).require_linearizable()
    weaken(monkeypatch, operations, "_claim", claim_of_changed)
    with pytest.raises(AssertionError, match="not linearizable"):
        history(the_stage, job).require_linearizable()
