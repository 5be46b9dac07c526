"""The bundle under Lambda's own runtime client, on the deployed version of Python if there is one, on the embedded stack."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
import uv

from infra.bundling import SOURCE, bundle
from local.stack import Stack
from tests.handlers.lines import lines
from tests.infra.runtime_api import Sandbox, sandbox
from twofold.settings import RUNTIME, Function

CLIENT = ("awslambdaric", "snapshot-restore-py", "simplejson")
SERVICES = ("dynamodb", "s3", "stepfunctions", "sts")
PYENV = {"PYENV_VERSION": "3.13.0"}


def _interpreter() -> str:
    """The deployed version of Python, if this machine has it; otherwise the one that runs here."""
    if sys.version_info[:2] == tuple(map(int, RUNTIME.split("."))):
        return sys.executable
    found = shutil.which(f"python{RUNTIME}")
    if not found:
        return sys.executable
    done = subprocess.run(
        [found, "-c", "import sys; print(sys.executable)"],
        env={**os.environ, **PYENV},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else sys.executable


INTERPRETER = _interpreter()


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pins and the same trimming as for Lambda, for this machine."""
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
        "LAMBDA_TASK_ROOT": str(bundled),
        "PYTHONPATH": f"{bundled}{os.pathsep}{runtime}",
    }
    command = [INTERPRETER, "-S", "-m", "awslambdaric"]
    arn = stack.functions.arn(function)
    with sandbox(command, function.handler, arn, environment, log) as running:
        yield running


def test_every_door_opens_without_anything_else_that_is_installed_here(bundled: Path) -> None:
    doors = [f"import {function.handler.removesuffix('.handler')}" for function in Function]
    clients = [f"client({name!r}, Config(region_name='eu-west-1'))" for name in SERVICES]
    loads = ["from botocore.config import Config", "from twofold.stores.clients import client"]
    script = "; ".join([f"import sys; sys.path.append({str(bundled)!r})", *doors, *loads, *clients])
    done = subprocess.run(
        [INTERPRETER, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


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
