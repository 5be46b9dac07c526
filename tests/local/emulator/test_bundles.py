"""The cache of bundles: a bundle is built once, is complete or absent, and is up to date with the sources."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import bundles
from local.emulator.bundles import build_in_background, open_bundle, remove_bundle
from supply.bundling import SOURCE

ROOT = Path(__file__).parents[3]
BUILD = """
import sys
from pathlib import Path
from local.emulator.bundles import open_bundle
with open_bundle(Path(sys.argv[1]), Path(sys.argv[2])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from local.emulator import bundles
bundles.install_packages = lambda source, target, platform: (target / "package").mkdir()
setattr(bundles, sys.argv[3], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
with bundles.open_bundle(Path(sys.argv[1]), Path(sys.argv[2])):
    pass
"""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """An empty cache, removed after the test."""
    yield tmp_path / "cache"
    if (tmp_path / "cache").exists():
        remove_bundle(tmp_path / "cache")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with a small package and the pins of the product."""
    copy = tmp_path / "lambdas"
    (copy / "twofold").mkdir(parents=True)
    (copy / "twofold" / "__init__.py").write_text("")
    (copy / "twofold" / "sizes.py").write_text("SIZE = 1\n")
    shutil.copy(SOURCE / "requirements.txt", copy)
    return copy


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replaces the installation of the pins by two files. The list has the folder of each installation."""
    folders = []

    def install(source: Path, target: Path, platform: object) -> None:
        folders.append(target)
        (target / "package").mkdir()
        (target / "package" / "__init__.py").write_text("NAME = 'package'\n")

    monkeypatch.setattr(bundles, "install_packages", install)
    return folders


def run_python(folder: Path, script: str) -> str:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(folder)!r}); {script}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_an_unchanged_bundle_is_built_once(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    with open_bundle(sources, cache) as first:
        before = {file: file.stat().st_mtime_ns for file in first.rglob("*.py")}
    with open_bundle(sources, cache) as second:
        assert second == first
        assert {file: file.stat().st_mtime_ns for file in second.rglob("*.py")} == before
    assert len(installs) == 1


def test_a_changed_source_is_in_the_next_bundle_without_another_installation(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    with open_bundle(sources, cache) as first:
        (sources / "twofold" / "sizes.py").write_text("SIZE = 22\n")
        with open_bundle(sources, cache) as second:
            sizes = [
                run_python(folder, "import package, twofold.sizes as s; print(s.SIZE)")
                for folder in (first, second)
            ]
    assert sizes == ["1", "22"]
    assert len(installs) == 1


def test_a_changed_pin_is_installed(sources: Path, cache: Path, installs: list[Path]) -> None:
    with open_bundle(sources, cache) as first:
        pass
    (sources / "requirements.txt").write_text("another==1\n")
    with open_bundle(sources, cache) as second:
        assert second != first
    assert len(installs) == 2


def test_a_bundle_is_built_in_the_background(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    with build_in_background(sources, cache):
        pass
    with build_in_background(sources, cache), open_bundle(sources, cache) as folder:
        assert run_python(folder, "import numpy, twofold.sizes as s; print(s.SIZE)") == "1"
    assert installs == []


def test_a_stop_ends_the_build_beside_it_and_leaves_nothing(sources: Path, cache: Path) -> None:
    def stop_within() -> None:
        with build_in_background(sources, cache):
            while not list(cache.glob("unfinished-*/*")):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_within()
    assert [file.name for file in cache.iterdir()] == ["lock"]


def test_everything_is_read_only(sources: Path, cache: Path, installs: list[Path]) -> None:
    with open_bundle(sources, cache) as folder:
        assert [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o222] == []


def test_a_module_that_does_not_compile_leaves_nothing(
    sources: Path, cache: Path, installs: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    (sources / "twofold" / "sizes.py").write_text("SIZE = (\n")
    with pytest.raises(subprocess.CalledProcessError), open_bundle(sources, cache):
        pass
    assert "sizes.py" in capfd.readouterr().out
    names = [path.name for path in cache.iterdir()]
    assert [name for name in names if not name.startswith("packages-")] == ["lock"]


@pytest.mark.parametrize(
    "step", ["install_packages", "copy_package", "compile_modules", "_make_read_only"]
)
def test_a_killed_build_leaves_no_bundle(
    sources: Path, cache: Path, installs: list[Path], step: str
) -> None:
    """The process ends between two steps. The next build is complete and removes the unfinished folder."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(sources), str(cache), step], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(cache.glob("unfinished-*"))
    with open_bundle(sources, cache) as folder:
        assert run_python(folder, "import package, twofold.sizes as s; print(s.SIZE)") == "1"
    assert list(cache.glob("unfinished-*")) == []


def test_two_processes_at_once_build_one_bundle(sources: Path, cache: Path) -> None:
    shutil.copytree(SOURCE / "twofold", sources / "twofold", dirs_exist_ok=True)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, str(sources), str(cache)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    folders = {process.stdout.readline().strip() for process in processes if process.stdout}
    for process in processes:
        process.communicate(timeout=60)
    (folder,) = folders
    assert run_python(
        Path(folder), "import numpy, twofold.handlers.select; print(numpy.__file__)"
    ).startswith(folder)
    assert len(list(cache.iterdir())) == 3, "the lock, the packages, the bundle"


def test_old_bundles_are_removed_unless_they_are_in_use(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    def build(size: int) -> Path:
        (sources / "twofold" / "sizes.py").write_text(f"SIZE = {size}\n")
        with open_bundle(sources, cache) as folder:
            os.utime(folder, (time.time() + size,) * 2)
            return folder

    (sources / "twofold" / "sizes.py").write_text("SIZE = 0\n")
    with open_bundle(sources, cache) as used:
        os.utime(used, (0, 0))
        built = [build(size) for size in range(1, 8)]
        assert used.exists()
    assert [folder.exists() for folder in built] == [False] * 2 + [True] * 5
