"""The bundle under Lambda's runtime client on the local emulator, with the deployed Python version if installed."""

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

from local.emulator.server import Emulator
from local.emulator.worker import Invocation, InvocationResult
from supply.bundling import LAMBDA, SOURCE, build_bundle, find_compiler
from tests.api.test_parameters import distribute
from tests.handlers.test_events import EventQueue, count_outbox_items
from tests.infra.runtime_api import Sandbox, start_sandbox
from tests.support.job import Job, make_two_label_lines
from tests.support.log_lines import parse_lines
from tests.support.request_interceptor import RequestInterceptor, answer_json_error, wait_until
from twofold.settings import MEMORY_MB, Function, Service

RUNTIME_CLIENT_PACKAGES = ("awslambdaric", "snapshot-restore-py", "simplejson")
INTERPRETER = find_compiler(LAMBDA) or sys.executable
HANDLER_IMPORTS = [f"import {function.handler.removesuffix('.handler')}" for function in Function]


@pytest.fixture(scope="module")
def built_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for this machine, with the same pins, removed files and bytecode as for Lambda."""
    target = tmp_path_factory.mktemp("bundle")
    build_bundle(SOURCE, target, ("--python", INTERPRETER))
    return target


@pytest.fixture(scope="module")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lambda's runtime client, in the versions of the development requirements."""
    target = tmp_path_factory.mktemp("runtime")
    pins = [f"{name}=={version(name)}" for name in RUNTIME_CLIENT_PACKAGES]
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    command += ["--python", INTERPRETER, *pins]
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode:
        subprocess.run(command, check=True)
    return target


@contextmanager
def _run_function(
    function: Function, built_bundle: Path, runtime_client: Path, emulator: Emulator, log: Path
) -> Iterator[Sandbox]:
    environment = {
        **emulator.functions._build_environment(function),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB[function]),
        "LAMBDA_TASK_ROOT": str(built_bundle),
        "PYTHONPATH": f"{built_bundle}{os.pathsep}{runtime_client}",
    }
    command = [INTERPRETER, "-S", "-m", "awslambdaric"]
    arn = emulator.functions.build_arn(function)
    with start_sandbox(command, function.handler, arn, environment, log) as running:
        yield running


@dataclass
class Sandboxes:
    """A replacement for the pool of workers: runs each function under Lambda's runtime client, from its first invocation."""

    built_bundle: Path
    runtime_client: Path
    emulator: Emulator
    log: Path
    running: ExitStack
    started: dict[Function, Sandbox] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def invoke(self, invocation: Invocation) -> InvocationResult:
        function = Function(invocation.handler.split(".")[-2])
        with self.lock:
            if function not in self.started:
                log = self.log / function
                sandbox = _run_function(
                    function, self.built_bundle, self.runtime_client, self.emulator, log
                )
                self.started[function] = self.running.enter_context(sandbox)
            result = self.started[function].invoke(json.loads(invocation.event))
        error = result.body["errorType"] if result.kind == "error" else ""
        return InvocationResult(json.dumps(result.body).encode(), error, 0)


@pytest.fixture
def sandboxes(
    built_bundle: Path,
    runtime_client: Path,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Sandboxes]:
    with emulator.settle_lock, ExitStack() as running:
        started = Sandboxes(built_bundle, runtime_client, emulator, tmp_path, running)
        for pool in ("api_pool", "workflow_pool"):
            monkeypatch.setattr(emulator.functions, pool, started)
        yield started
        monkeypatch.undo()


def _run_script(built_bundle: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script with only the bundle and the standard library."""
    path = f"import sys; sys.path.append({str(built_bundle)!r})"
    command = [INTERPRETER, "-I", "-S", "-c", f"{path}; {script}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_handler_is_importable_from_the_bundle_alone(built_bundle: Path) -> None:
    clients = [
        f"create_client({name.value!r}, Config(region_name='eu-west-1'))" for name in Service
    ]
    loads = [
        "from botocore.config import Config",
        "from twofold.stores.clients import create_client",
    ]
    done = _run_script(built_bundle, "; ".join([*HANDLER_IMPORTS, *loads, *clients]))
    assert done.returncode == 0, done.stderr


def test_no_module_is_compiled_at_a_cold_start(built_bundle: Path) -> None:
    """No file is added to the folder either."""
    before = {*built_bundle.rglob("*")}
    hook = "sys.addaudithook(lambda event, args: event == 'compile' and compiled.append(args[1]))"
    done = _run_script(
        built_bundle, "; ".join(["compiled = []", hook, *HANDLER_IMPORTS, "print(compiled)"])
    )
    assert done.returncode == 0, done.stderr
    assert str(built_bundle) not in done.stdout
    assert {*built_bundle.rglob("*")} == before


def test_all_functions_run_and_the_events_of_operations_are_sent(
    sandboxes: Sandboxes, emulator: Emulator
) -> None:
    job = Job.start(emulator)
    queue = EventQueue(emulator, {"detail": {"projectName": [job.project.split("/")[1]]}})
    train, test = job.create_pair(make_two_label_lines(30))
    distribute(job, train, test, GroupBy=r"images/(\d)")
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    job.client.update_dataset_entries(DatasetArn=test, Changes={"GroundTruth": b"no manifest"})
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_FAILED"
    assert wait_until(lambda: queue.has_received(3))
    outcomes = {
        event["detail"]["operation"]: event["detail"]["outcome"] for event in queue.received
    }
    assert outcomes == {"CREATE": "SUCCEEDED", "DISTRIBUTE": "SUCCEEDED", "UPDATE": "FAILED"}
    for function in (Function.SETTLE, Function.COLLECT):
        answer = emulator.functions.invoke(function, b"{}")
        assert not answer.error, answer.payload
    assert count_outbox_items(emulator) == 0
    assert set(sandboxes.started) == set(Function)


def test_the_sweep_sends_a_waiting_event(
    sandboxes: Sandboxes, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    job = Job.start(emulator)
    queue = EventQueue(emulator, {"detail": {"projectName": [job.project.split("/")[1]]}})
    # Other tests may have left events of which a step was killed.
    assert not emulator.functions.invoke(Function.SETTLE, b"{}").error
    assert count_outbox_items(emulator) == 0
    with request_interceptor.add_rule(
        lambda request: request.headers.get("X-Amz-Target") == "AWSEvents.PutEvents",
        answer_json_error(500, "InternalException"),
    ):
        assert (
            job.wait_for_dataset(job.create_dataset("TRAIN", make_two_label_lines(10)))["Status"]
            == "CREATE_COMPLETE"
        )
        assert count_outbox_items(emulator) == 1
    assert not emulator.functions.invoke(Function.SETTLE, b"{}").error
    assert wait_until(lambda: queue.has_received(1))
    assert count_outbox_items(emulator) == 0


def test_the_api_responds_and_logs_one_line_per_call(
    built_bundle: Path, runtime_client: Path, emulator: Emulator, tmp_path: Path
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
    with _run_function(Function.API, built_bundle, runtime_client, emulator, log) as api:
        answers = [api.invoke(event) for _ in range(2)]
    for answer in answers:
        assert answer.kind == "response"
        assert answer.body["statusCode"] == 200
        assert "ProjectDescriptions" in json.loads(answer.body["body"])
    lines = [line for line in parse_lines(log.read_text()) if line.get("message") == "answered"]
    assert [line["requestId"] for line in lines] == ["the-request"] * 2
    assert [line["Stage"] for line in lines] == ["local"] * 2


def test_a_step_that_fails_reports_the_name_that_state_machines_catch(
    built_bundle: Path, runtime_client: Path, emulator: Emulator, tmp_path: Path
) -> None:
    operation = {"Id": "none", "Kind": "CREATE", "Datasets": [], "Created": 1}
    with _run_function(
        Function.PLAN, built_bundle, runtime_client, emulator, tmp_path / "log"
    ) as plan:
        answer = plan.invoke({"Operation": operation})
    assert answer.kind == "error"
    assert answer.body["errorType"] == "ValueError"
    assert "no source" in answer.body["errorMessage"]
