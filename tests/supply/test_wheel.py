"""The wheel in environments of its own, as pip installs it: all subcommands, without the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest

from local.emulator.server import Emulator
from tests.clients.command.terminal import make_labelled_lines, write_manifest

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))
CONTENTS = ("pyproject.toml", "README.md", "LICENSE", "lambdas", "clients")
OFFLINE = ("split", "verify", "report")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the repository's sources."""
    sources = tmp_path_factory.mktemp("sources")
    for name in CONTENTS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources)
    run_program(UV, "build", "--quiet", "--wheel", "--out-dir", sources / "dist", sources)
    (built,) = (sources / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def offline_twofold(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return install_command(tmp_path_factory.mktemp("offline"), str(wheel))


@pytest.fixture(scope="module")
def service_twofold(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return install_command(
        tmp_path_factory.mktemp("service"), f"twofold[service] @ {wheel.as_uri()}"
    )


def run_program(*command: object) -> None:
    process = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def install_command(folder: Path, requirement: str) -> Run:
    """Install a requirement in a new environment; return a function that runs its `twofold`, with any exit code."""
    python = folder / "env" / "bin" / "python"
    run_program(UV, "venv", "--quiet", "--python", sys.executable, folder / "env")
    run_program(UV, "pip", "install", "--quiet", "--python", python, requirement)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
        return subprocess.run(
            [str(python.with_name("twofold")), *map(str, arguments)],
            cwd=folder,
            env=kept | {"PATH": "/usr/bin:/bin", "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_wheel_has_the_models_types_and_description(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = (name for name in names if name.endswith("/METADATA"))
        text = archive.read(about).decode()
    models = [
        path.relative_to(ROOT / "clients").as_posix()
        for path in (ROOT / "clients" / "aws-models").rglob("*.json")
    ]
    assert models
    assert {f"twofold_service/{model}" for model in models} <= set(names)
    assert "twofold/py.typed" in names
    assert "# Twofold" in text
    assert not [name for name in names if name.startswith(("tests/", "infra/", "local/"))]


def test_the_offline_subcommands_need_nothing_else(offline_twofold: Run, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(240))
    out = tmp_path / "out"
    assert offline_twofold("--version").stdout.strip() == f"twofold {metadata.version('twofold')}"
    split = offline_twofold("split", manifest, "-o", out, "--group-by", "/(video-[0-9]+)/")
    assert (split.returncode, split.stderr) == (0, "")
    assert len((out / "test.manifest").read_bytes().splitlines()) == 50  # five videos of ten images
    assert offline_twofold("verify", out, "--source", manifest).returncode == 0
    assert offline_twofold("report", out).returncode == 0
    parts = offline_twofold("split", manifest, "-o", tmp_path / "parts", "--folds", 3)
    assert parts.returncode == 0
    assert offline_twofold("verify", tmp_path / "parts").returncode == 0


def list_subcommands(run: Run) -> list[str]:
    return re.findall(r"^    ([a-z]+)", run("--help").stdout, re.M)


def test_every_subcommand_has_help(offline_twofold: Run) -> None:
    names = list_subcommands(offline_twofold)
    assert {*OFFLINE, "push", "pull", "status", "distribute", "history", "revert"} == set(names)
    for name in names:
        shown = offline_twofold(name, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith(f"usage: twofold {name}")


def test_service_subcommands_name_the_missing_extra(offline_twofold: Run) -> None:
    refused = offline_twofold("status")
    assert refused.returncode == 1
    assert refused.stderr == (
        "twofold: This command needs boto3, which is not installed: pip install 'twofold[service]'.\n"
    )


def test_the_service_subcommands_work_from_the_wheel(
    service_twofold: Run, emulator: Emulator, tmp_path: Path
) -> None:
    project = f"wheel-{uuid4().hex[:8]}"
    manifest = write_manifest(tmp_path, make_labelled_lines(60))

    def run(*arguments: object) -> str:
        process = service_twofold(*arguments, "--endpoint", emulator.endpoint)
        assert process.returncode == 0, process.stderr
        return process.stdout

    run("push", manifest, project, "--bucket", f"bucket-{project}", "--make-bucket")
    distributed = json.loads(run("distribute", project, "--test-fraction", "1/4", "--json"))
    assert distributed["test"]["entries"] == 15
    run("pull", project, "-o", tmp_path / "pulled")
    assert len((tmp_path / "pulled" / "test.manifest").read_bytes().splitlines()) == 15
    assert project in run("status")
    assert "1/4" in run("history", project)
    run("report", project)
    run("revert", project)
    assert json.loads(run("status", project, "--json"))["projects"][0]["datasets"]
