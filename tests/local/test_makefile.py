"""Values of make variables are data: neither make nor a shell executes them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARK = "ran"


PRINT_ARGUMENTS = 'printf "[%s]" "$@"'


def run_make(
    folder: Path, *arguments: str, script: str = PRINT_ARGUMENTS, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run make on a copy of the Makefile in `folder`, where each program of the environment prints its arguments.

    `script` replaces the commands of the programs.
    """
    shutil.copy(ROOT / "Makefile", folder)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "uv", "pip-audit", "cyclonedx-py", "ruff", "mypy", "lint-imports"):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["make", "-C", folder, *arguments],
        # A clean environment: variables of a make that runs these tests, such as VENV, would be inherited.
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which all dependency groups are marked as installed."""
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / ".venv").mkdir()
    for group in ("local", "dev", "cdk", "bench", "supply", "public-clients", "project"):
        (tmp_path / ".venv" / f".{group}").touch()
    (tmp_path / ".venv-rehearsal").mkdir()
    (tmp_path / ".venv-rehearsal" / ".installed").touch()
    return tmp_path


@pytest.mark.parametrize(
    "value",
    [
        f"`touch {MARK}`",
        f"$(touch {MARK})",
        f"$(shell touch {MARK})",
        f"$$(touch {MARK})",
        f'"; touch {MARK}; "',
        f"'; touch {MARK}; '",
        "a $b manifest",
    ],
)
@pytest.mark.parametrize(
    ("target", "name"),
    [
        *[("run", name) for name in ("MANIFEST", "OUT")],
        *[
            ("serve", name)
            for name in ("PORT", "QUOTAS", "AUTH", "KEYS", "GUARD", "ADMINISTRATORS", "CALLER_RATE")
        ],
        ("test", "TESTS"),
        *[("faults", name) for name in ("SCHEDULES", "SEED")],
        *[("smoke", name) for name in ("URL", "BUCKET")],
        *[
            ("synth", "CONTEXT"),
            ("synth", "STAGE"),
            ("deploy", "ALLOW"),
            ("deploy", "CONTEXT"),
            ("destroy", "DATA"),
            ("bench", "MANIFESTS"),
            ("rehearse-stage", "MINUTES"),
        ],
    ],
)
def test_no_value_is_executed(target: str, name: str, value: str, folder: Path) -> None:
    runs = (run_make(folder, target, f"{name}={value}"), run_make(folder, target, **{name: value}))
    assert not any("No rule to make target" in run.stderr for run in runs)
    assert not (folder / MARK).exists()


def test_values_are_passed_on_unchanged(folder: Path) -> None:
    name = "a `b` $c \"d\" 'e'.manifest"
    assert f"[--manifest][{name}]" in run_make(folder, "run", f"MANIFEST={name}").stdout
    assert f"[--out][{name}]" in run_make(folder, "run", OUT=name).stdout
    assert "[--out][out]" in run_make(folder, "run").stdout
    assert "[deploy][stage=dev][a=b]" in run_make(folder, "deploy", "CONTEXT=stage=dev a=b").stdout


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSAFEPATH",
        "PYTHONOPTIMIZE",
        "PYTHONHASHSEED",
        "PYTHONUTF8",
    ],
)
@pytest.mark.parametrize("target", ["run", "serve", "test", "check", "synth"])
def test_python_variables_of_the_caller_are_not_passed_on(
    folder: Path, target: str, name: str
) -> None:
    value = "of-the-caller"
    script = f'echo "seen: ${name}, kept: $PYTHON_KEYRING_BACKEND"'
    variables = {name: value, "PYTHON_KEYRING_BACKEND": "kept"}
    done = run_make(folder, target, script=script, **variables)
    assert value not in done.stdout
    assert "seen: , kept: kept" in done.stdout


def test_make_run_starts_whatever_the_python_variables_of_the_caller(tmp_path: Path) -> None:
    """With packages of the same names in PYTHONPATH, and without the current folder in the search path."""
    for package in ("local", "twofold", "tests"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('another project')")
    python = f"{sys.executable} -c 'import local.run, twofold; print(local.run.__file__)'"
    commands = tmp_path / "commands.mk"
    commands.write_text(f"include {ROOT}/Makefile\nshow-modules:\n\t@{python}\n")
    done = subprocess.run(
        ["make", "-C", ROOT, "-f", commands, "show-modules"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(tmp_path),
            "PYTHONSAFEPATH": "1",
            "PYTHONHOME": "/nowhere",
            "PYTHONHASHSEED": "none",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert str(ROOT / "local" / "run") in done.stdout


def test_an_audit_fails_if_a_pin_is_skipped(folder: Path) -> None:
    """pip-audit exits with 0 when it skips a pin, except with --strict."""
    output = run_make(folder, "audit").stdout
    assert output.count("[--strict]") == 3


def test_a_changed_lock_installs_a_group_again(folder: Path) -> None:
    """From the group alone, with its hashes."""
    assert "[pip]" not in run_make(folder, "run").stdout
    os.utime(folder / "uv.lock", (2_000_000_000, 2_000_000_000))
    installed = run_make(folder, "run").stdout
    assert "[pip][install][--quiet][--python][.venv/bin/python][--require-hashes]" in installed
    assert "[-r][.venv/local.txt]" in installed
