"""Run tests against a mutant in a forked process that has loaded all packages except the project."""

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pytest

_LIBRARIES = (
    "boto3",
    "hypothesis",
    "moto.server",
    "msgspec",
    "numpy",
    "orjson",
    "highspy",
    "re2",
    "xxhash",
    "pydantic",
)
_FOLDERS = ("lambdas", "clients/command", ".")
_LOOK_SECONDS = 0.02
LOG = "mutants.log"
"""The output of the last run, in the copied tree."""
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


@contextmanager
def copy_tree(root: Path) -> Iterator[Path]:
    """Copy the files of a Git work tree to put mutants into. The copy is the current folder while the block runs."""
    with TemporaryDirectory(prefix="mutants-") as folder:
        names = subprocess.check_output(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root
        )
        for name in filter(None, names.decode().split("\0")):
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (root / name).is_file():
                shutil.copy(root / name, target)
        before = Path.cwd()
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def load_libraries() -> None:
    """Load the packages that every run needs and no mutant changes. Loading takes longer than most runs."""
    for library in _LIBRARIES:
        import_module(library)
    loaded = [name for name in sys.modules if name.partition(".")[0].startswith("twofold")]
    assert not loaded, loaded


def judge_mutant(tree: Path, path: str, text: str, tests: Sequence[str], seconds: float) -> str:
    """Return the outcome of a mutant. The file `path` of `tree` has this text while the tests run, up to the first failure."""
    original = (tree / path).read_text(encoding="utf-8")
    (tree / path).write_text(text, encoding="utf-8")
    try:
        code = _run_tests(tree, tests, seconds)
    finally:
        (tree / path).write_text(original, encoding="utf-8")
    return {0: SURVIVED, None: TIMED_OUT}.get(code, KILLED)


def _run_tests(tree: Path, tests: Sequence[str], seconds: float) -> int | None:
    """Return the exit code of pytest, or None after `seconds` seconds."""
    pid = os.fork()
    if not pid:
        _test_and_exit(tree, tests)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_LOOK_SECONDS)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _test_and_exit(tree: Path, tests: Sequence[str]) -> NoReturn:
    """Run the tests and exit. Never returns, since the parent process continues the campaign."""
    code = pytest.ExitCode.INTERNAL_ERROR.value
    try:
        os.setsid()
        log = os.open(tree / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        code = _test_in_process(tree, tests)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _test_in_process(tree: Path, tests: Sequence[str]) -> int:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    folders = [str(tree / folder) for folder in _FOLDERS]
    sys.path[:0] = folders
    # Programs that tests start must find the mutant, too, and none may keep its bytecode.
    os.environ |= {
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CI": "true",
    }
    sys.dont_write_bytecode = True
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout", "60"]
    # Hypothesis is loaded before pytest could rewrite its assertions.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*options, *tests], plugins=[_SkipEmulatorTests()]))


class _SkipEmulatorTests:
    """Deselects tests with the emulator: functions run from a bundle, and each mutant would build another bundle."""

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        deselected = [item for item in items if "emulator" in item.fixturenames]
        items[:] = [item for item in items if "emulator" not in item.fixturenames]
        config.hook.pytest_deselected(items=deselected)
