"""Whatever one call to AWS does: nothing is lost, nothing hangs, and a second attempt works. `make faults` has all of it."""

import pytest

from tests.faults.campaign import Trial, attempt, sites, trials
from tests.faults.outside import Fault
from tests.faults.scene import Job, Stage
from twofold.records import DatasetType, Status


def test_each_call_site_survives_a_fault(the_stage: Stage) -> None:
    """One of its faults each, another one at each site; the rest behind the command."""
    of_site: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials(the_stage):
        of_site.setdefault((trial.job, trial.site), []).append(trial)
    assert len(of_site) > 80
    for number, faults in enumerate(of_site.values()):
        attempt(the_stage, faults[number * 7 % len(faults)])


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.CUT, Fault.UNANSWERED, Fault.TWICE])
def test_what_passes_is_not_noticed(the_stage: Stage, fault: Fault) -> None:
    """A fault that is over with the next attempt fails no operation, wherever a worker reads an object."""
    for call in sites(the_stage, Job.DISTRIBUTE):
        if call.operation == "GetObject" and call.actor != "execution":
            scene = attempt(the_stage, Trial(Job.DISTRIBUTE, call.site, fault, 1))
            assert scene.statuses()[DatasetType.TRAIN] is Status.UPDATE_COMPLETE
