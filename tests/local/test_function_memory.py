"""Functions of the local stack have the memory of the deployed ones, and are killed when they take more."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local import forks
from local.bundles import local_bundle
from local.forks import ForkServer
from local.pool import Pool
from local.stack import STAGE, Stack
from local.worker import Answer, Invocation
from tests.job import Job, two_labels
from tests.steps import steps_run_by
from twofold.settings import MEMORY_MB, Function, function_name

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
Call = Callable[..., Answer]


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Call]:
    """Invokes the probe in the one worker of a pool, as a function of so many MB."""
    setup = tmp_path / "setup.py"
    setup.write_text(PROBE)
    with local_bundle() as bundle:
        server = ForkServer(bundle, tmp_path / "log", setup)
        pool = Pool(1, server)
        pool.start()

        def invoke(do: str, megabytes: int, *, memory_mb: int = 128, seconds: float = 0) -> Answer:
            event = json.dumps({"do": do, "megabytes": megabytes, "seconds": seconds}).encode()
            return pool.invoke(Invocation("probe.handler", "arn:probe", "id", memory_mb, {}, event))

        yield invoke
        pool.stop()
        server.stop()


def is_killed(answer: Answer) -> bool:
    failure = {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": "RequestId: id Error: Runtime exited with error: signal: killed",
    }
    return answer.error == "Runtime.OutOfMemory" and json.loads(answer.payload) == failure


def test_a_function_that_takes_more_than_its_memory_is_killed_at_once(call: Call) -> None:
    began = time.monotonic()
    assert is_killed(call("hold", 160, seconds=60))
    assert time.monotonic() - began < 50


def test_a_function_that_needs_less_answers(call: Call) -> None:
    assert call("hold", 30, seconds=0.1).error == ""
    assert call("touch", 160, memory_mb=256).error == ""


def test_a_peak_between_two_looks_is_seen_too(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_WATCH_SECONDS", 100)
    assert is_killed(call("touch", 160))
    assert call("touch", 30).error == ""


def test_a_call_after_one_that_was_killed_has_a_worker_of_its_own(call: Call) -> None:
    before = json.loads(call("hold", 1).payload)
    assert is_killed(call("touch", 160))
    assert json.loads(call("hold", 1).payload) != before


def test_memory_that_is_reserved_and_not_touched_does_not_count(call: Call) -> None:
    """NumPy and the allocator reserve far more address space than they use."""
    assert call("reserve", 2_000).error == ""


def test_what_an_earlier_call_left_does_not_count_again(call: Call) -> None:
    """In Lambda it would be in the sandbox of another function."""
    worker = json.loads(call("keep", 160, memory_mb=512).payload)
    assert call("touch", 160, memory_mb=512).error == ""
    answer = call("hold", 30)
    assert (answer.error, json.loads(answer.payload)) == ("", worker)
    assert is_killed(call("touch", 160))


def test_what_is_preloaded_counts_once(call: Call) -> None:
    """Python, NumPy and all handlers are about 60 MB, which a function of 128 MB has to have room for."""
    assert is_killed(call("touch", 110))
    assert call("touch", 110, memory_mb=256).error == ""


@pytest.fixture
def plan_megabytes(stack: Stack, tmp_path: Path) -> Iterator[Path]:
    """The session's stack with a Plan that first allocates as many MB as this file says."""
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
    with steps_run_by(stack, setup, 1):
        yield amount


def test_an_operation_whose_function_runs_out_of_memory_fails_and_says_so(
    job: Job, plan_megabytes: Path
) -> None:
    plan_megabytes.write_text(str(MEMORY_MB[Function.PLAN]))
    train = job.settled(job.create("TRAIN", two_labels(20)))
    assert train["Status"] == "CREATE_FAILED"
    assert train["StatusMessageCode"] == "SERVICE_ERROR"
    assert train["StatusMessage"].startswith("A function ran out of memory; nothing was changed.")
    assert train["StatusMessage"].endswith("(Runtime.OutOfMemory)")
    plan_megabytes.write_text(str(MEMORY_MB[Function.PLAN] // 3))
    other = Job.begin(job.stack)
    assert other.settled(other.create("TRAIN", two_labels(20)))["Status"] == "CREATE_COMPLETE"


def test_lambda_answers_a_killed_function_as_aws_does(job: Job, plan_megabytes: Path) -> None:
    plan_megabytes.write_text(str(MEMORY_MB[Function.PLAN]))
    answer = job.stack.client("lambda").invoke(
        FunctionName=function_name(STAGE, Function.PLAN), Payload=b"{}"
    )
    assert answer["FunctionError"] == "Unhandled"
    failure = json.loads(answer["Payload"].read())
    assert failure["errorType"] == "Runtime.OutOfMemory"
    assert failure["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
