"""What README.md shows is what happens: its commands are run as they stand there, and print what it says they print."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import Stack
from twofold_command.outputs import FILES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
ADDRESS = "http://127.0.0.1:8000"


def block(language: str, part: str) -> tuple[str, str]:
    """The block of that language that holds `part`, and the text block after it."""
    (number,) = [
        number for number, (found, text) in enumerate(BLOCKS) if found == language and part in text
    ]
    following = BLOCKS[number + 1] if number + 1 < len(BLOCKS) else ("", "")
    return BLOCKS[number][1], following[1] if following[0] == "text" else ""


@pytest.fixture
def environment(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """The README's own exports, for the stack that runs here."""
    exports, _ = block("sh", "export AWS_ENDPOINT_URL")
    assert ADDRESS in exports
    variables = re.findall(r"(AWS_\w+)=(\S+)", exports.replace(ADDRESS, stack.endpoint))
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": programs, "HOME": str(tmp_path), **dict(variables)}


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _shell(script: str, environment: dict[str, str]) -> str:
    return _output(["bash", "-euo", "pipefail", "-c", script], environment)


def _untimed(text: str) -> str:
    """Without what differs from run to run: seconds and megabytes."""
    text = re.sub(r"\d+\.\d s\b", "T s", text)
    return re.sub(r"\d+ MB\b", "M MB", text)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines() if line.strip()]


def test_make_run_prints_what_the_readme_shows(tmp_path: Path) -> None:
    command, shown = block("sh", "make run")
    assert command == "make run\n"
    out = tmp_path / "out"
    printed = _output(_recipe("run", out))
    assert "\x1b" not in printed
    assert _lines(_untimed(printed.replace(str(out), "out"))) == _lines(_untimed(shown))
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)


def _recipe(target: str, out: Path) -> list[str]:
    """What make would run, with the interpreter that runs here."""
    shown = _output(
        ["make", "--dry-run", "--no-print-directory", f"OUT={out}", target]
    ).splitlines()[-1]
    words = shown.replace('"', "").split()
    program, *arguments = (str(out) if word == "$OUT" else word for word in words)
    assert program.endswith("bin/python")
    return [sys.executable, *arguments]


def test_the_boto3_example_prints_what_the_readme_shows(environment: dict[str, str]) -> None:
    script, shown = block("python", "import boto3")
    assert _output([sys.executable, "-W", "error", "-c", script], environment) == shown


def test_the_cli_example_prints_what_the_readme_shows(environment: dict[str, str]) -> None:
    script, shown = block("sh", "aws s3 cp")
    assert _lines(_shell(script, environment))[-1:] == _lines(shown)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_example_creates_a_project(environment: dict[str, str]) -> None:
    script, _ = block("sh", "curl --silent")
    answer = json.loads(_shell(script, environment))
    assert ":project/curl/" in answer["ProjectArn"]


@pytest.mark.parametrize(("version", "code"), [((3, 10), 1), ((3, 11), 0), ((3, 13), 0)])
def test_a_python_that_is_too_old_is_told_before_anything_is_installed(
    version: tuple[int, int], code: int
) -> None:
    shown = _output(
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
    _output(["make", f"PYTHON={python}", f"VENV={uv.parents[1]}", str(uv)])
    assert _output([str(uv), "--version"]).startswith("uv ")


def test_every_command_of_make_in_the_readme_exists() -> None:
    named = set(re.findall(r"make (\w+)", "".join(re.findall(r"`make [^`]+`", TEXT))))
    named |= {
        line.split()[1]
        for _, text in BLOCKS
        for line in text.splitlines()
        if line.startswith("make ")
    }
    listed = {
        line.split()[0] for line in _output(["make", "--no-print-directory", "help"]).splitlines()
    }
    assert named <= listed
    assert {"run", "serve", "test", "synth", "bootstrap", "deploy", "destroy"} <= named


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
