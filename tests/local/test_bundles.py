"""The bundle that the emulator's workers run from: built once, complete or not there, and up to date with the sources."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import bundles
from local.bundles import building, local_bundle, remove
from supply.bundling import SOURCE

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
from pathlib import Path
from local.bundles import local_bundle
with local_bundle(Path(sys.argv[1]), Path(sys.argv[2])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from local import bundles
bundles.install_packages = lambda source, target, platform: (target / "package").mkdir()
setattr(bundles, sys.argv[3], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
with bundles.local_bundle(Path(sys.argv[1]), Path(sys.argv[2])):
    pass
"""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """An empty cache; what is read-only in it is removed."""
    yield tmp_path / "cache"
    if (tmp_path / "cache").exists():
        remove(tmp_path / "cache")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small package, and pins of a small one besides what the trimming looks for."""
    copy = tmp_path / "lambdas"
    (copy / "twofold").mkdir(parents=True)
    (copy / "twofold" / "__init__.py").write_text("")
    (copy / "twofold" / "sizes.py").write_text("SIZE = 1\n")
    shutil.copy(SOURCE / "requirements.txt", copy)
    return copy


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Installs two files in place of the pins, and notes when."""
    folders = []

    def install(source: Path, target: Path, platform: object) -> None:
        folders.append(target)
        (target / "package").mkdir()
        (target / "package" / "__init__.py").write_text("NAME = 'package'\n")

    monkeypatch.setattr(bundles, "install_packages", install)
    return folders


def run(folder: Path, script: str) -> str:
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
    with local_bundle(sources, cache) as first:
        before = {file: file.stat().st_mtime_ns for file in first.rglob("*.py")}
    with local_bundle(sources, cache) as second:
        assert second == first
        assert {file: file.stat().st_mtime_ns for file in second.rglob("*.py")} == before
    assert len(installs) == 1


def test_a_changed_source_is_in_the_next_bundle_without_another_installation(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    with local_bundle(sources, cache) as first:
        (sources / "twofold" / "sizes.py").write_text("SIZE = 22\n")
        with local_bundle(sources, cache) as second:
            sizes = [
                run(one, "import package, twofold.sizes as s; print(s.SIZE)")
                for one in (first, second)
            ]
    assert sizes == ["1", "22"]
    assert len(installs) == 1


def test_a_changed_pin_is_installed(sources: Path, cache: Path, installs: list[Path]) -> None:
    with local_bundle(sources, cache) as first:
        pass
    (sources / "requirements.txt").write_text("another==1\n")
    with local_bundle(sources, cache) as second:
        assert second != first
    assert len(installs) == 2


def test_a_bundle_is_built_beside_other_work(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    with building(sources, cache):
        pass
    with building(sources, cache), local_bundle(sources, cache) as folder:
        assert run(folder, "import numpy, twofold.sizes as s; print(s.SIZE)") == "1"
    assert installs == []


def test_a_stop_ends_the_build_beside_it_and_leaves_nothing(sources: Path, cache: Path) -> None:
    def stop_within() -> None:
        with building(sources, cache):
            while not list(cache.glob("unfinished-*/*")):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_within()
    assert [file.name for file in cache.iterdir()] == ["lock"]


def test_everything_is_read_only(sources: Path, cache: Path, installs: list[Path]) -> None:
    with local_bundle(sources, cache) as folder:
        assert [one for one in (folder, *folder.rglob("*")) if one.stat().st_mode & 0o222] == []


def test_a_module_that_does_not_compile_leaves_nothing(
    sources: Path, cache: Path, installs: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    (sources / "twofold" / "sizes.py").write_text("SIZE = (\n")
    with pytest.raises(subprocess.CalledProcessError), local_bundle(sources, cache):
        pass
    assert "sizes.py" in capfd.readouterr().out
    assert [one.name for one in cache.iterdir() if not one.name.startswith("packages-")] == ["lock"]


@pytest.mark.parametrize(
    "step", ["install_packages", "copy_package", "compile_modules", "_make_read_only"]
)
def test_a_build_that_was_killed_is_never_taken_for_a_bundle(
    sources: Path, cache: Path, installs: list[Path], step: str
) -> None:
    """The process ends between two of its steps; the next build finishes the work and removes the rest."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(sources), str(cache), step], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(cache.glob("unfinished-*"))
    with local_bundle(sources, cache) as folder:
        assert run(folder, "import package, twofold.sizes as s; print(s.SIZE)") == "1"
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
    assert run(
        Path(folder), "import numpy, twofold.handlers.select; print(numpy.__file__)"
    ).startswith(folder)
    assert len(list(cache.iterdir())) == 3, "the lock, the packages, the bundle"


def test_old_bundles_are_removed_unless_they_are_in_use(
    sources: Path, cache: Path, installs: list[Path]
) -> None:
    def build(size: int) -> Path:
        (sources / "twofold" / "sizes.py").write_text(f"SIZE = {size}\n")
        with local_bundle(sources, cache) as folder:
            os.utime(folder, (time.time() + size,) * 2)
            return folder

    (sources / "twofold" / "sizes.py").write_text("SIZE = 0\n")
    with local_bundle(sources, cache) as used:
        os.utime(used, (0, 0))
        built = [build(size) for size in range(1, 8)]
        assert used.exists()
    assert [folder.exists() for folder in built] == [False] * 2 + [True] * 5
