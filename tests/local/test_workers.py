"""Worker processes: on the bundle and nothing else, and replaced when they or their fork server end."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local.bundles import local_bundle
from local.forks import ForkServer, NoWorkerError
from local.pool import Pool
from local.worker import Answer, Invocation
from tests.backstage import eventually

# What a handler module of a test does; the bundle's own handlers are loaded beside it.
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
def pool(tmp_path: Path) -> Iterator[Pool]:
    """Two workers, with a module `probe` of the tests."""
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
    with local_bundle() as bundle:
        forks = ForkServer(bundle, tmp_path / "log", setup)
        pool = Pool(2, forks)
        pool.start()
        yield pool
        pool.stop()
        forks.stop()


def call(pool: Pool, do: str, *arguments: object) -> Answer:
    event = json.dumps({"do": do, "with": arguments}).encode()
    return pool.invoke(Invocation("probe.handler", "arn:probe", "id", 128, dict(os.environ), event))


def test_the_only_models_a_worker_can_find_are_the_bundle_s(pool: Pool) -> None:
    """botocore takes the home folder of the account where HOME is not set, so ~/.aws/models of who calls would be one."""
    with local_bundle() as bundle:
        folders = [Path(folder) for folder in json.loads(call(pool, "model_folders").payload)]
        assert [folder for folder in folders if bundle in folder.parents]
        others = [folder for folder in folders if bundle not in folder.parents]
    assert all(not folder.parents[1].is_dir() for folder in others), others


def ask(pool: Pool, do: str, *arguments: object) -> object:
    answer = call(pool, do, *arguments)
    assert not answer.error, answer.payload
    return json.loads(answer.payload)


@pytest.mark.parametrize("package", ["moto", "boto3", "flask", "local", "infra", "tests", "pip"])
def test_a_package_that_does_not_ship_cannot_be_loaded(pool: Pool, package: str) -> None:
    assert call(pool, "load", package).error == "ModuleNotFoundError"


def test_all_that_is_loaded_is_of_the_bundle_or_of_python_itself(pool: Pool) -> None:
    places = ask(pool, "places")
    assert isinstance(places, list)
    files, path = places
    bundle = str(pool.forks.bundle)
    assert path[0] == bundle
    assert not [entry for entry in path if "site-packages" in entry]
    own = [file for file in files if file and not file.startswith((bundle, sys.base_prefix))]
    assert {Path(file).name for file in own} == {"worker.py", "probe.py"}
    assert any(file.startswith(f"{bundle}/numpy/") for file in files)


@pytest.mark.parametrize("service", ["sqs", "sts", "lambda"])
def test_a_model_that_does_not_ship_makes_no_client(pool: Pool, service: str) -> None:
    assert call(pool, "client", service).error == "UnknownServiceError"


@pytest.mark.parametrize("service", ["dynamodb", "events", "s3", "stepfunctions"])
def test_a_model_that_ships_makes_one(pool: Pool, service: str) -> None:
    assert ask(pool, "client", service) == service


@pytest.mark.parametrize("name", ["new.txt", "twofold/__init__.py"])
def test_nobody_writes_into_the_bundle(pool: Pool, name: str) -> None:
    """Not root either."""
    assert call(pool, "write", str(pool.forks.bundle / name)).error == "PermissionError"


def test_a_worker_that_dies_at_work_fails_its_own_invocation(pool: Pool) -> None:
    answer = call(pool, "die")
    assert (answer.error, b"exited with -9" in answer.payload) == ("Runtime.ExitError", True)
    assert ask(pool, "pid") in pool.workers
    assert len(pool.workers) == 2


def test_a_worker_that_was_killed_while_idle_is_replaced_and_the_call_served(pool: Pool) -> None:
    before = set(pool.workers)
    pool.kill()
    after = {ask(pool, "pid") for _ in range(4)}
    assert len(after) == 2
    assert not before & after
    assert set(pool.workers) == after


def test_a_fork_server_that_was_killed_is_replaced_and_the_call_served(pool: Pool) -> None:
    server = pool.forks._server
    assert server
    os.kill(server.pid, signal.SIGKILL)
    assert ask(pool, "nap", 0) == "slept"
    pool.kill()
    assert len({ask(pool, "pid") for _ in range(4)}) == 2
    assert pool.forks._server
    assert pool.forks._server.pid != server.pid


def test_a_call_after_a_death_at_work_and_without_a_fork_server_is_served(pool: Pool) -> None:
    server = pool.forks._server
    assert server
    os.kill(server.pid, signal.SIGKILL)
    assert call(pool, "die").error == "Runtime.ExitError"
    assert ask(pool, "nap", 0) == "slept"


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with local_bundle() as bundle:
        (tmp_path / "setup.py").write_text("import moto\n")
        pool = Pool(1, ForkServer(bundle, tmp_path / "log", tmp_path / "setup.py"))
        with pytest.raises(NoWorkerError, match="No module named 'moto'"):
            pool.start()


def test_nothing_is_left_when_it_stops(pool: Pool) -> None:
    pids = [*pool.workers, pool.forks._server.pid if pool.forks._server else 0]
    pool.stop()
    pool.forks.stop()
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 10)
