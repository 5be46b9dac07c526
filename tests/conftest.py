"""One local emulator for the whole session: the start takes seconds, and tests are isolated by their projects."""

import gc
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


LONG_FILES = (
    "faults/test_call_sites.py",
    "faults/test_protocol.py",
    "faults/test_failed_move.py",
    "public_clients/test_cli.py",
    "bench/test_memory.py",
    "clients/service/test_service_commands.py",
    "browser/test_report_in_a_browser.py",
    "public_clients/test_guides.py",
    "infra/test_bundle_in_lambda.py",
    "specification/test_specification.py",
    "end_to_end/test_the_main_job.py",
    "end_to_end/test_a_quota_size_job.py",
    "split/test_coordination.py",
    "faults/test_schedules.py",
    "faults/test_damage.py",
)
"""Files with at least 15 seconds of tests. Two workers that begin with these end at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long files first, after pytest-randomly has shuffled all files."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(folder).as_posix() not in LONG_FILES)


@pytest.fixture(scope="module", autouse=True)
def short_collections() -> Iterator[None]:
    """Exclude the objects left by a module from later collections, which would traverse millions of them."""
    yield
    gc.collect()
    gc.freeze()


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
