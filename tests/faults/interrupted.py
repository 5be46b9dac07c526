"""A client that has read the datasets and is to claim them when another one updates them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.company import Company
from tests.faults.scene import Job, Scene, Stage


@contextmanager
def interrupted(
    stage: Stage, job: Job, watch: Callable[[Scene], object] = lambda scene: None
) -> Iterator[Scene]:
    """The scene at rest. A reader looks at the datasets between the two clients, and `watch` sees it begin."""
    with stage.scene(job) as scene:
        outside, company = scene.theatre.outside, scene.theatre.company
        outside.passing = lambda call, done: None if done else scene.theatre.passing()
        watch(scene)
        company.spawn("slow client", partial(scene.do, job))
        while not _claims(scene):
            _give_turn(company)
        slow = company.alive.pop()
        company.spawn("fast client", partial(scene.do, Job.UPDATE))
        company.play()
        with outside.looking():
            scene.recorded.read()
        company.alive.append(slow)
        company.play()
        yield scene


def _claims(scene: Scene) -> bool:
    calls = scene.theatre.outside.calls
    return bool(calls) and calls[-1].operation == "TransactWriteItems"


def _give_turn(company: Company) -> None:
    (actor,) = company.alive
    actor.turn.release()
    company._back.acquire()
