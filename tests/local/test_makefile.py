"""Values that a user gives to make are data: neither make nor a shell runs what is in them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARK = "ran"


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """With the Makefile in a folder of its own, where each program of the environment prints what it is given."""
    shutil.copy(ROOT / "Makefile", folder)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "uv", "pip-audit"):
        (programs / name).write_text('#!/bin/sh\nprintf "[%s]" "$@"\n')
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["make", "-C", folder, *arguments],
        # Values of a make that runs these tests, such as VENV, would reach this one.
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With all sets installed."""
    (tmp_path / ".venv").mkdir()
    for pins in (
        "local/requirements.txt",
        "requirements-dev.txt",
        "requirements.txt",
        "tests/mutants/requirements.txt",
    ):
        (tmp_path / pins).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / pins).touch()
    (tmp_path / "pyproject.toml").touch()
    for name in (".local", ".dev", ".command", ".app", ".bench", ".mutants"):
        (tmp_path / ".venv" / name).touch()
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
        *[("faults", name) for name in ("SCHEDULES", "SEED")],
        *[("storm", name) for name in ("CLIENTS", "SECONDS")],
        *[("smoke", name) for name in ("URL", "BUCKET")],
        *[("fuzz", name) for name in ("MINUTES", "GUIDED")],
        *[
            ("synth", "CONTEXT"),
            ("synth", "STAGE"),
            ("deploy", "ALLOW"),
            ("deploy", "CONTEXT"),
            ("destroy", "DATA"),
            ("measure", "MANIFEST"),
        ],
        *[("bench-scale", name) for name in ("ENTRIES", "ROUNDS", "SCRATCH", "ONLY")],
        ("bench-solver", "ENTRIES"),
        ("crashes", "EVERY"),
        *[("mutants", name) for name in ("PATHS", "SAMPLE", "SEED")],
    ],
)
def test_nothing_in_a_value_is_run(target: str, name: str, value: str, folder: Path) -> None:
    make(folder, target, f"{name}={value}")
    make(folder, target, **{name: value})
    assert not (folder / MARK).exists()


def test_a_value_arrives_as_it_was_given(folder: Path) -> None:
    name = "a `b` $c \"d\" 'e'.manifest"
    assert f"[--manifest][{name}]" in make(folder, "run", f"MANIFEST={name}").stdout
    assert f"[--out][{name}]" in make(folder, "run", OUT=name).stdout
    assert "[--out][out]" in make(folder, "run").stdout
    assert "[deploy][stage=dev][a=b]" in make(folder, "deploy", "CONTEXT=stage=dev a=b").stdout


def test_an_audit_that_could_not_look_a_pin_up_fails(folder: Path) -> None:
    """pip-audit ends with 0 for pins that it skips unless it is strict."""
    (folder / "supply").mkdir()
    (folder / "supply" / "requirements.txt").touch()
    (folder / ".venv" / ".supply").touch()
    told = make(folder, "audit").stdout
    assert told.count("[--strict]") == 3
