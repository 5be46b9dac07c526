"""The bundle under Lambda's own runtime client, on the deployed version of Python if there is one, on the embedded stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import pytest
import uv

from local.stack import Stack
from local.worker import Answer, Invocation
from supply.bundling import LAMBDA, SOURCE, bundle, find_compiler
from tests.backstage import Backstage, eventually, json_error
from tests.handlers.lines import lines
from tests.handlers.test_distribute_parameters import distribute
from tests.handlers.test_events import Queue, outbox
from tests.infra.runtime_api import Sandbox, sandbox
from tests.job import Job, two_labels
from twofold.settings import MEMORY_MB, Function, Service

CLIENT = ("awslambdaric", "snapshot-restore-py", "simplejson")
INTERPRETER = find_compiler(LAMBDA) or sys.executable
DOORS = [f"import {function.handler.removesuffix('.handler')}" for function in Function]


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pins, trimming and bytecode as for Lambda, for this machine."""
    target = tmp_path_factory.mktemp("bundle")
    bundle(SOURCE, target, ("--python", INTERPRETER))
    return target


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lambda's runtime client, at the versions that are installed here."""
    target = tmp_path_factory.mktemp("runtime")
    pins = [f"{name}=={version(name)}" for name in CLIENT]
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    command += ["--python", INTERPRETER, *pins]
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode:
        subprocess.run(command, check=True)
    return target


@contextmanager
def _running(
    function: Function, bundled: Path, runtime: Path, stack: Stack, log: Path
) -> Iterator[Sandbox]:
    environment = {
        **stack.functions._environment(function),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB[function]),
        "LAMBDA_TASK_ROOT": str(bundled),
        "PYTHONPATH": f"{bundled}{os.pathsep}{runtime}",
    }
    command = [INTERPRETER, "-S", "-m", "awslambdaric"]
    arn = stack.functions.arn(function)
    with sandbox(command, function.handler, arn, environment, log) as running:
        yield running


@dataclass
class Sandboxes:
    """In place of a pool of workers: each function under Lambda's runtime client, started when it is first invoked."""

    bundled: Path
    runtime: Path
    stack: Stack
    log: Path
    running: ExitStack
    started: dict[Function, Sandbox] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def invoke(self, invocation: Invocation) -> Answer:
        function = Function(invocation.handler.split(".")[-2])
        with self.lock:
            if function not in self.started:
                place = (self.bundled, self.runtime, self.stack, self.log / function)
                self.started[function] = self.running.enter_context(_running(function, *place))
            answered = self.started[function].invoke(json.loads(invocation.event))
        error = answered.body["errorType"] if answered.kind == "error" else ""
        return Answer(json.dumps(answered.body).encode(), error, 0)


@pytest.fixture
def sandboxes(
    bundled: Path, runtime: Path, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandboxes]:
    with stack.sweeping, ExitStack() as running:
        started = Sandboxes(bundled, runtime, stack, tmp_path, running)
        for pool in ("api", "steps"):
            monkeypatch.setattr(stack.functions, pool, started)
        yield started
        monkeypatch.undo()


def _run(bundled: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """With nothing but the bundle and Python's own library."""
    path = f"import sys; sys.path.append({str(bundled)!r})"
    command = [INTERPRETER, "-I", "-S", "-c", f"{path}; {script}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_door_opens_without_anything_else_that_is_installed_here(bundled: Path) -> None:
    clients = [f"client({name.value!r}, Config(region_name='eu-west-1'))" for name in Service]
    loads = ["from botocore.config import Config", "from twofold.stores.clients import client"]
    done = _run(bundled, "; ".join([*DOORS, *loads, *clients]))
    assert done.returncode == 0, done.stderr


def test_no_module_is_compiled_at_a_cold_start(bundled: Path) -> None:
    """Nor written: what is in the folder afterwards was there before."""
    before = {*bundled.rglob("*")}
    hook = "sys.addaudithook(lambda event, told: event == 'compile' and compiled.append(told[1]))"
    done = _run(bundled, "; ".join(["compiled = []", hook, *DOORS, "print(compiled)"]))
    assert done.returncode == 0, done.stderr
    assert str(bundled) not in done.stdout
    assert {*bundled.rglob("*")} == before


def test_all_functions_do_their_work_and_the_events_of_operations_are_sent(
    sandboxes: Sandboxes, stack: Stack
) -> None:
    job = Job.begin(stack)
    queue = Queue(stack, {"detail": {"projectName": [job.project.split("/")[1]]}})
    train, test = job.pair(two_labels(30))
    distribute(job, train, test, GroupBy=r"images/(\d)")
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    job.client.update_dataset_entries(DatasetArn=test, Changes={"GroundTruth": b"no manifest"})
    assert job.settled(test)["Status"] == "UPDATE_FAILED"
    assert eventually(lambda: queue.hears(3))
    told = {event["detail"]["operation"]: event["detail"]["outcome"] for event in queue.heard}
    assert told == {"CREATE": "SUCCEEDED", "DISTRIBUTE": "SUCCEEDED", "UPDATE": "FAILED"}
    for function in (Function.SETTLE, Function.COLLECT):
        answer = stack.functions.invoke(function, b"{}")
        assert not answer.error, answer.payload
    assert outbox(stack) == 0
    assert set(sandboxes.started) == set(Function)


def test_the_sweep_sends_an_event_that_is_waiting(
    sandboxes: Sandboxes, stack: Stack, backstage: Backstage
) -> None:
    job = Job.begin(stack)
    queue = Queue(stack, {"detail": {"projectName": [job.project.split("/")[1]]}})
    with backstage.scene(
        lambda request: request.headers.get("X-Amz-Target") == "AWSEvents.PutEvents",
        json_error(500, "InternalException"),
    ):
        assert job.settled(job.create("TRAIN", two_labels(10)))["Status"] == "CREATE_COMPLETE"
        assert outbox(stack) == 1
    assert not stack.functions.invoke(Function.SETTLE, b"{}").error
    assert eventually(lambda: queue.hears(1))
    assert outbox(stack) == 0


def test_the_api_answers_and_tells_one_line_for_each_call(
    bundled: Path, runtime: Path, stack: Stack, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    event = {
        "resource": "/",
        "httpMethod": "POST",
        "headers": {
            "X-Amz-Target": "RekognitionService.DescribeProjects",
            "Content-Type": "application/x-amz-json-1.1",
        },
        "requestContext": {"requestId": "the-request", "identity": {"userArn": "me"}},
        "body": "{}",
        "isBase64Encoded": False,
    }
    with _running(Function.API, bundled, runtime, stack, log) as api:
        answers = [api.invoke(event) for _ in range(2)]
    for answer in answers:
        assert answer.kind == "response"
        assert answer.body["statusCode"] == 200
        assert "ProjectDescriptions" in json.loads(answer.body["body"])
    told = [line for line in lines(log.read_text()) if line.get("message") == "answered"]
    assert [line["requestId"] for line in told] == ["the-request"] * 2
    assert [line["Stage"] for line in told] == ["local"] * 2


def test_a_step_that_fails_reports_the_name_that_state_machines_catch(
    bundled: Path, runtime: Path, stack: Stack, tmp_path: Path
) -> None:
    operation = {"Id": "none", "Kind": "CREATE", "Datasets": [], "Created": 1}
    with _running(Function.PLAN, bundled, runtime, stack, tmp_path / "log") as plan:
        answer = plan.invoke({"Operation": operation})
    assert answer.kind == "error"
    assert answer.body["errorType"] == "ValueError"
    assert "no source" in answer.body["errorMessage"]
