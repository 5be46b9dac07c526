"""The commands in README.md are run, and their output is compared with the output in README.md."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator.server import Emulator
from twofold_command.split_files import FILES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
ADDRESS = "http://127.0.0.1:8000"


def get_block(language: str, part: str) -> tuple[str, str]:
    """Return the code block of this language with the text `part`, and the text block after the code, if any."""
    (number,) = [
        number
        for number, (block_language, text) in enumerate(BLOCKS)
        if block_language == language and part in text
    ]
    following = BLOCKS[number + 1] if number + 1 < len(BLOCKS) else ("", "")
    return BLOCKS[number][1], following[1] if following[0] == "text" else ""


@pytest.fixture
def environment(emulator: Emulator, tmp_path: Path) -> dict[str, str]:
    """The exports of the README, with the endpoint of the session's emulator."""
    exports, _ = get_block("sh", "export AWS_ENDPOINT_URL")
    assert ADDRESS in exports
    variables = re.findall(r"(AWS_\w+)=(\S+)", exports.replace(ADDRESS, emulator.endpoint))
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": programs, "HOME": str(tmp_path), **dict(variables)}


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run_script(script: str, environment: dict[str, str]) -> str:
    return _run(["bash", "-euo", "pipefail", "-c", script], environment)


def _mask_measurements(text: str) -> str:
    """Replace the seconds and megabytes, which differ between runs."""
    text = re.sub(r"\d+\.\d s\b", "T s", text)
    return re.sub(r"\d+ MB\b", "M MB", text)


def _split_lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines() if line.strip()]


def test_make_run_prints_what_the_readme_shows(tmp_path: Path) -> None:
    command, shown = get_block("sh", "make run")
    assert command == "make run\n"
    out = tmp_path / "out"
    printed = _run(_read_recipe("run", out))
    assert "\x1b" not in printed
    assert _split_lines(_mask_measurements(printed.replace(str(out), "out"))) == _split_lines(
        _mask_measurements(shown)
    )
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)


def _read_recipe(target: str, out: Path) -> list[str]:
    """Return the command that make would run, with this Python interpreter."""
    shown = _run(["make", "--dry-run", "--no-print-directory", f"OUT={out}", target]).splitlines()[
        -1
    ]
    words = shown.replace('"', "").split()
    program, *arguments = (str(out) if word == "$OUT" else word for word in words)
    assert program.endswith("bin/python")
    return [sys.executable, *arguments]


def test_the_boto3_example_prints_what_the_readme_shows(environment: dict[str, str]) -> None:
    script, shown = get_block("python", "import boto3")
    assert _run([sys.executable, "-W", "error", "-c", script], environment) == shown


def test_the_cli_example_prints_what_the_readme_shows(environment: dict[str, str]) -> None:
    script, shown = get_block("sh", "aws s3 cp")
    assert _split_lines(_run_script(script, environment))[-1:] == _split_lines(shown)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example_creates_a_project(environment: dict[str, str]) -> None:
    script, _ = get_block("sh", "curl --silent")
    answer = json.loads(_run_script(script, environment))
    assert ":project/curl/" in answer["ProjectArn"]


@pytest.mark.parametrize(("version", "code"), [((3, 10), 1), ((3, 11), 0), ((3, 13), 0)])
def test_an_old_python_is_rejected_before_the_installation(
    version: tuple[int, int], code: int
) -> None:
    shown = _run(
        ["make", "--dry-run", "--no-print-directory", "PYTHON=python3", "VENV=none", "none/bin/uv"]
    )
    check, make_environment, *_ = shown.splitlines()
    assert make_environment.startswith("python3 -m venv --without-pip none && ")
    script = check.removeprefix("python3 -c ").strip("'")
    pretending = f"import sys; sys.version_info = {version}\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", pretending], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert ("name one: make PYTHON=" in done.stderr) == bool(code)


def test_a_python_without_pip_makes_the_environment(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$2" = pip ] && exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    uv = tmp_path / "environment" / "bin" / "uv"
    _run(["make", f"PYTHON={python}", f"VENV={uv.parents[1]}", str(uv)])
    assert _run([str(uv), "--version"]).startswith("uv ")


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"make (\w+)", "".join(re.findall(r"`make [^`]+`", TEXT))))
    named |= {
        line.split()[1]
        for _, text in BLOCKS
        for line in text.splitlines()
        if line.startswith("make ")
    }
    listed = {
        line.split()[0] for line in _run(["make", "--no-print-directory", "help"]).splitlines()
    }
    assert named <= listed
    assert {"run", "serve", "test", "synth", "bootstrap", "deploy", "destroy"} <= named


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_has_a_target(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
