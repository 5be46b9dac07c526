"""One stack for the whole session: starting it takes seconds, and projects keep tests apart."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local.meter import Meter
from local.services import moto
from local.stack import Stack, running
from tests.backstage import Backstage
from tests.job import Job
from tests.privileges.recorder import Recorder

# Machines are shared and noisy: time limits are pytest's alone. CI repeats the same examples, everyone else finds new ones.
settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("suite")

# A shell has what it runs in the background ignore Ctrl-C, and so would all that the tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """Notes what the functions and state machines ask of AWS; in the folder TWOFOLD_CALLS at the end, if it is set."""
    recorder = Recorder(moto())
    yield recorder
    folder = os.environ.get("TWOFOLD_CALLS")
    if folder:
        recorder.save(Path(folder) / f"{os.getpid()}.jsonl")


@pytest.fixture(scope="session")
def backstage(recorder: Recorder) -> Backstage:
    """What stands between the stack and moto; lets all requests through unless a test sets a scene."""
    return Backstage(Meter(recorder))


@pytest.fixture(scope="session")
def stack(backstage: Backstage) -> Iterator[Stack]:
    with running(behind=backstage) as running_stack:
        yield running_stack


@pytest.fixture
def meter(backstage: Backstage) -> Meter:
    """Writes down the calls of AWS's services, while a test wants to know."""
    assert isinstance(backstage.behind, Meter)
    return backstage.behind


@pytest.fixture
def job(stack: Stack) -> Job:
    return Job.begin(stack)
