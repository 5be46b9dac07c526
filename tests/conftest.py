"""One local emulator for the whole session: the start takes seconds, and tests are isolated by their projects."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local.emulator.call_recorder import CallRecorder
from local.emulator.moto_services import create_moto_application
from local.emulator.server import Emulator, start_emulator
from tests.privileges.recorder import Recorder
from tests.support.job import Job
from tests.support.request_interceptor import RequestInterceptor

# Machines are noisy, so only pytest has time limits. CI repeats the same examples; other runs draw new examples.
settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("suite")

# Background processes of a shell ignore Ctrl-C, and so would the processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """Records the AWS calls of functions and state machines. Saves them in the folder TWOFOLD_CALLS if the variable is set."""
    recorder = Recorder(create_moto_application())
    yield recorder
    folder = os.environ.get("TWOFOLD_CALLS")
    if folder:
        recorder.save(Path(folder) / f"{os.getpid()}.jsonl")


@pytest.fixture(scope="session")
def request_interceptor(recorder: Recorder) -> RequestInterceptor:
    """The interceptor between the emulator and moto; passes requests on unless a test adds a rule."""
    return RequestInterceptor(CallRecorder(recorder))


@pytest.fixture(scope="session")
def emulator(request_interceptor: RequestInterceptor) -> Iterator[Emulator]:
    with start_emulator(aws_services=request_interceptor) as running_emulator:
        yield running_emulator


@pytest.fixture
def call_recorder(request_interceptor: RequestInterceptor) -> CallRecorder:
    """The recorder of the calls that the emulator's functions make to AWS services."""
    assert isinstance(request_interceptor.application, CallRecorder)
    return request_interceptor.application


@pytest.fixture
def job(emulator: Emulator) -> Job:
    return Job.start(emulator)
