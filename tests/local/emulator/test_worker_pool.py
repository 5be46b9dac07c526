"""Worker processes import from the bundle only, and are replaced when they or the fork server end."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local.emulator.bundles import open_bundle
from local.emulator.fork_server import ForkServer, NoWorkerError
from local.emulator.worker import Invocation, InvocationResult
from local.emulator.worker_pool import WorkerPool
from tests.support.request_interceptor import wait_until

# A handler module for tests, loaded in addition to the handlers of the bundle.
PROBE = """
import importlib, os, signal, sys, time

def handler(event, context):
    return globals()[event["do"]](*event.get("with", ()))

def load(name):
    return importlib.import_module(name).__name__

def places():
    files = {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
    return [sorted(files), sys.path]

def client(service):
    from botocore.session import get_session
    return get_session().create_client(service, region_name="eu-west-1").meta.service_model.service_name

def model_folders():
    from botocore.session import get_session
    return get_session().get_component("data_loader").search_paths

def write(path):
    with open(path, "a"):
        return path

def pid():
    return os.getpid()

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def nap(seconds):
    time.sleep(seconds)
    return "slept"
"""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    """A pool of two workers with the module `probe`."""
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE)
    setup = tmp_path / "setup.py"
    setup.write_text(
        dedent(f"""
            import importlib.util, sys
            spec = importlib.util.spec_from_file_location("probe", {str(probe)!r})
            sys.modules["probe"] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules["probe"])
        """)
    )
    with open_bundle() as bundle:
        forks = ForkServer(bundle, tmp_path / "log", setup)
        pool = WorkerPool(2, forks)
        pool.start()
        yield pool
        pool.stop()
        forks.stop()


def call(pool: WorkerPool, do: str, *arguments: object) -> InvocationResult:
    event = json.dumps({"do": do, "with": arguments}).encode()
    return pool.invoke(Invocation("probe.handler", "arn:probe", "id", 128, dict(os.environ), event))


def test_a_worker_finds_models_in_the_bundle_only(pool: WorkerPool) -> None:
    """Without HOME, botocore would search the home folder of the account for ~/.aws/models."""
    with open_bundle() as bundle:
        folders = [Path(folder) for folder in json.loads(call(pool, "model_folders").payload)]
        assert [folder for folder in folders if bundle in folder.parents]
        others = [folder for folder in folders if bundle not in folder.parents]
    assert all(not folder.parents[1].is_dir() for folder in others), others


def call_successfully(pool: WorkerPool, do: str, *arguments: object) -> object:
    answer = call(pool, do, *arguments)
    assert not answer.error, answer.payload
    return json.loads(answer.payload)


@pytest.mark.parametrize("package", ["moto", "boto3", "flask", "local", "infra", "tests", "pip"])
def test_a_package_outside_the_bundle_cannot_be_imported(pool: WorkerPool, package: str) -> None:
    assert call(pool, "load", package).error == "ModuleNotFoundError"


def test_all_loaded_modules_belong_to_the_bundle_or_to_python(pool: WorkerPool) -> None:
    places = call_successfully(pool, "places")
    assert isinstance(places, list)
    files, path = places
    bundle = str(pool.fork_server.bundle)
    assert path[0] == bundle
    assert not [entry for entry in path if "site-packages" in entry]
    own = [file for file in files if file and not file.startswith((bundle, sys.base_prefix))]
    assert {Path(file).name for file in own} == {"worker.py", "probe.py"}
    assert any(file.startswith(f"{bundle}/numpy/") for file in files)


@pytest.mark.parametrize("service", ["sqs", "sts", "lambda"])
def test_a_service_without_a_model_in_the_bundle_has_no_client(
    pool: WorkerPool, service: str
) -> None:
    assert call(pool, "client", service).error == "UnknownServiceError"


@pytest.mark.parametrize("service", ["dynamodb", "events", "s3", "stepfunctions"])
def test_a_service_with_a_model_in_the_bundle_has_a_client(pool: WorkerPool, service: str) -> None:
    assert call_successfully(pool, "client", service) == service


@pytest.mark.parametrize("name", ["new.txt", "twofold/__init__.py"])
def test_the_bundle_is_read_only(pool: WorkerPool, name: str) -> None:
    """For root, too."""
    assert call(pool, "write", str(pool.fork_server.bundle / name)).error == "PermissionError"


def test_a_worker_that_dies_fails_its_invocation_only(pool: WorkerPool) -> None:
    answer = call(pool, "die")
    assert (answer.error, b"exited with -9" in answer.payload) == ("Runtime.ExitError", True)
    assert call_successfully(pool, "pid") in pool.workers
    assert len(pool.workers) == 2


def test_a_worker_that_was_killed_while_idle_is_replaced_and_the_call_served(
    pool: WorkerPool,
) -> None:
    before = set(pool.workers)
    pool.kill()
    after = {call_successfully(pool, "pid") for _ in range(4)}
    assert len(after) == 2
    assert not before & after
    assert set(pool.workers) == after


def test_a_fork_server_that_was_killed_is_replaced_and_the_call_served(pool: WorkerPool) -> None:
    server = pool.fork_server._process
    assert server
    os.kill(server.pid, signal.SIGKILL)
    assert call_successfully(pool, "nap", 0) == "slept"
    pool.kill()
    assert len({call_successfully(pool, "pid") for _ in range(4)}) == 2
    assert pool.fork_server._process
    assert pool.fork_server._process.pid != server.pid


def test_a_call_after_a_death_at_work_and_without_a_fork_server_is_served(pool: WorkerPool) -> None:
    server = pool.fork_server._process
    assert server
    os.kill(server.pid, signal.SIGKILL)
    assert call(pool, "die").error == "Runtime.ExitError"
    assert call_successfully(pool, "nap", 0) == "slept"


def test_a_fork_server_that_cannot_start_reports_the_reason(tmp_path: Path) -> None:
    with open_bundle() as bundle:
        (tmp_path / "setup.py").write_text("import moto\n")
        pool = WorkerPool(1, ForkServer(bundle, tmp_path / "log", tmp_path / "setup.py"))
        with pytest.raises(NoWorkerError, match="No module named 'moto'"):
            pool.start()


def test_no_process_is_left_after_the_stop(pool: WorkerPool) -> None:
    pids = [*pool.workers, pool.fork_server._process.pid if pool.fork_server._process else 0]
    pool.stop()
    pool.fork_server.stop()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 10)
