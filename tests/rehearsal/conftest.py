"""Fixtures for an emulated account per test run.

`make rehearse` runs the tests of a deployed stage and the tests of deployments in parallel. A plain run of the test suite skips
all of these tests.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.assembly import ROOT, synthesize, zip_bundle
from tests.rehearsal.emulator import Emulator, run_emulator
from tests.rehearsal.interpreters import EMULATOR_VARIABLE, Interpreters

if EMULATOR_VARIABLE not in os.environ:
    collect_ignore_glob = ["test_*.py"]

STAGE = "prod"


@pytest.fixture(scope="session")
def interpreters() -> Interpreters:
    return Interpreters.from_environment()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="session")
def archive(workspace: Path, interpreters: Interpreters) -> Path:
    """The bundle of this checkout."""
    return zip_bundle(ROOT, interpreters.functions, workspace / "bundle.zip")


@pytest.fixture(scope="session")
def emulator(workspace: Path, interpreters: Interpreters) -> Iterator[Emulator]:
    folder = workspace / "emulator"
    folder.mkdir()
    with run_emulator(folder, interpreters) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.build_environment().items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def assembly(workspace: Path, archive: Path) -> Path:
    """The release of this checkout, for the stage `prod`."""
    folder = workspace / STAGE
    synthesize(ROOT, archive, {folder: [f"stage={STAGE}"]})
    return folder


@pytest.fixture(scope="session")
def account(emulator: Emulator, assembly: Path) -> Account:
    """The account after `make bootstrap`."""
    account = Account(emulator)
    account.bootstrap(assembly)
    return account


@pytest.fixture(scope="session")
def prod(account: Account, assembly: Path) -> Deployment:
    return account.deploy(assembly, STAGE)
