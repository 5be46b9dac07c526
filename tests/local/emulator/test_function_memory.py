"""Functions of the local emulator have the memory of the deployed functions and are killed above that limit."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local.emulator import fork_server
from local.emulator.bundles import open_bundle
from local.emulator.fork_server import ForkServer
from local.emulator.server import STAGE, Emulator
from local.emulator.worker import Invocation, InvocationResult
from local.emulator.worker_pool import WorkerPool
from tests.support.job import Job, make_two_label_lines
from tests.support.step_workers import use_step_workers
from twofold.settings import MEMORY_MB, Function, make_function_name

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="memory is measured in /proc"
)

PROBE = """
import mmap, os, sys, time, types
import numpy

kept = []

def handler(event, context):
    megabytes = event["megabytes"]
    match event["do"]:
        case "touch":
            return len(b"x" * (megabytes << 20))
        case "hold":
            text = b"x" * (megabytes << 20)
            time.sleep(event["seconds"])
        case "keep":
            kept.append(b"x" * (megabytes << 20))
        case "reserve":
            kept.extend((numpy.empty(megabytes << 20, numpy.uint8), mmap.mmap(-1, megabytes << 20)))
    return os.getpid()

sys.modules["probe"] = types.SimpleNamespace(handler=handler)
"""
Call = Callable[..., InvocationResult]


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Call]:
    """A function that invokes the probe on the only worker of a pool, with the given memory."""
    setup = tmp_path / "setup.py"
    setup.write_text(PROBE)
    with open_bundle() as bundle:
        server = ForkServer(bundle, tmp_path / "log", setup)
        pool = WorkerPool(1, server)
        pool.start()

        def invoke(
            do: str, megabytes: int, *, memory_mb: int = 128, seconds: float = 0
        ) -> InvocationResult:
            event = json.dumps({"do": do, "megabytes": megabytes, "seconds": seconds}).encode()
            return pool.invoke(Invocation("probe.handler", "arn:probe", "id", memory_mb, {}, event))

        yield invoke
        pool.stop()
        server.stop()


def is_killed(answer: InvocationResult) -> bool:
    failure = {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": "RequestId: id Error: Runtime exited with error: signal: killed",
    }
    return answer.error == "Runtime.OutOfMemory" and json.loads(answer.payload) == failure


def test_a_function_above_its_memory_is_killed_at_once(call: Call) -> None:
    began = time.monotonic()
    assert is_killed(call("hold", 160, seconds=60))
    assert time.monotonic() - began < 50


def test_a_function_below_its_memory_succeeds(call: Call) -> None:
    assert call("hold", 30, seconds=0.1).error == ""
    assert call("touch", 160, memory_mb=256).error == ""


def test_a_peak_between_two_measurements_is_detected(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "_WATCH_SECONDS", 100)
    assert is_killed(call("touch", 160))
    assert call("touch", 30).error == ""


def test_a_killed_worker_is_replaced(call: Call) -> None:
    before = json.loads(call("hold", 1).payload)
    assert is_killed(call("touch", 160))
    assert json.loads(call("hold", 1).payload) != before


def test_reserved_memory_does_not_count(call: Call) -> None:
    """NumPy and the allocator reserve far more address space than they use."""
    assert call("reserve", 2_000).error == ""


def test_memory_left_by_an_earlier_call_does_not_count(call: Call) -> None:
    """In Lambda, that memory would be in the sandbox of another function."""
    worker = json.loads(call("keep", 160, memory_mb=512).payload)
    assert call("touch", 160, memory_mb=512).error == ""
    answer = call("hold", 30)
    assert (answer.error, json.loads(answer.payload)) == ("", worker)
    assert is_killed(call("touch", 160))


def test_preloaded_modules_count_once(call: Call) -> None:
    """Python, NumPy and all handlers take about 60 of the 128 MB of a function."""
    assert is_killed(call("touch", 110))
    assert call("touch", 110, memory_mb=256).error == ""


@pytest.fixture
def plan_allocation(emulator: Emulator, tmp_path: Path) -> Iterator[Path]:
    """A file with a number of MB, which the session's Plan function allocates at the start of each invocation."""
    amount = tmp_path / "megabytes"
    setup = tmp_path / "setup.py"
    setup.write_text(
        dedent(f"""
            from pathlib import Path
            from twofold.handlers import plan
            handler = plan.handler
            def allocate(event, context):
                text = b"x" * (int(Path({str(amount)!r}).read_text()) << 20)
                return handler(event, context)
            plan.handler = allocate
        """)
    )
    with use_step_workers(emulator, setup, 1):
        yield amount


def test_an_operation_fails_when_a_function_runs_out_of_memory(
    job: Job, plan_allocation: Path
) -> None:
    plan_allocation.write_text(str(MEMORY_MB[Function.PLAN]))
    train = job.wait_for_dataset(job.create_dataset("TRAIN", make_two_label_lines(20)))
    assert train["Status"] == "CREATE_FAILED"
    assert train["StatusMessageCode"] == "SERVICE_ERROR"
    assert train["StatusMessage"].startswith("A function ran out of memory; nothing was changed.")
    assert train["StatusMessage"].endswith("(Runtime.OutOfMemory)")
    plan_allocation.write_text(str(MEMORY_MB[Function.PLAN] // 3))
    other = Job.start(job.emulator)
    assert (
        other.wait_for_dataset(other.create_dataset("TRAIN", make_two_label_lines(20)))["Status"]
        == "CREATE_COMPLETE"
    )


def test_the_response_to_a_killed_function_equals_lambda_s(job: Job, plan_allocation: Path) -> None:
    plan_allocation.write_text(str(MEMORY_MB[Function.PLAN]))
    answer = job.emulator.create_client("lambda").invoke(
        FunctionName=make_function_name(STAGE, Function.PLAN), Payload=b"{}"
    )
    assert answer["FunctionError"] == "Unhandled"
    failure = json.loads(answer["Payload"].read())
    assert failure["errorType"] == "Runtime.OutOfMemory"
    assert failure["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
