"""The bundle for this machine's Python, built once and kept in `build/bundle`: the worker processes' only packages.

    build/bundle/lock               held while something is built or removed
    build/bundle/packages-<hash>/   the pinned packages with their bytecode; the hash leaves out the sources of `twofold`
    build/bundle/<hash>/            a whole bundle: hard links to those packages, and a copy of `twofold`

A changed source needs the copy alone. All of it is read-only, as /var/task is. A build takes place in a folder of another
name, which is renamed when it is complete, so a killed build leaves nothing that is mistaken for a bundle.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from supply.bundling import (
    PACKAGE,
    SOURCE,
    compile_modules,
    copy_package,
    fingerprint,
    install_packages,
    packages_fingerprint,
)

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "build" / "bundle"

_PLATFORM = ("--python", sys.executable)
_PACKAGES = "packages-"
_UNFINISHED = "unfinished-"
_KEPT = 4
"""Bundles of other branches and other versions of Python; what was used last is kept."""


@contextmanager
def local_bundle(source: Path = SOURCE, cache: Path = CACHE) -> Iterator[Path]:
    """The folder of the bundle of these sources, built if need be; it is not removed while the block runs.

    Raises subprocess.CalledProcessError when the packages cannot be installed or a module does not compile.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache):
        folder = _folder(source, cache)
        if not folder.exists():
            _build(folder, lambda unfinished: _fill(unfinished, source, cache))
            _prune(cache, folder)
        user = os.open(folder, os.O_RDONLY)
        fcntl.flock(user, fcntl.LOCK_SH)
        os.utime(folder)
    try:
        yield folder
    finally:
        os.close(user)


@contextmanager
def building(source: Path = SOURCE, cache: Path = CACHE) -> Iterator[None]:
    """Builds a missing bundle in another process while the block loads modules: each takes seconds of one core.

    `local_bundle` builds again, and reports, what that process fails to build.
    """
    if _folder(source, cache).exists():
        yield
        return
    folders = [str(folder.resolve()) for folder in (source, cache)]
    command = [sys.executable, "-m", "local.bundles", *folders]
    builder = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    )
    try:
        yield
    except BaseException:
        builder.send_signal(signal.SIGINT)
        raise
    finally:
        builder.wait()


def _folder(source: Path, cache: Path) -> Path:
    return cache / fingerprint(source, _PLATFORM)[:16]


def _fill(folder: Path, source: Path, cache: Path) -> None:
    """Link the packages and copy the sources."""
    packages = cache / f"{_PACKAGES}{packages_fingerprint(source, _PLATFORM)[:16]}"
    if not packages.exists():
        _build(packages, lambda unfinished: _install(unfinished, source))
    shutil.copytree(packages, folder, copy_function=_link, dirs_exist_ok=True)
    _make_writable(folder)
    copy_package(source, folder)
    compile_modules(folder / PACKAGE, folder, sys.executable)


def _install(folder: Path, source: Path) -> None:
    install_packages(source, folder, _PLATFORM)
    compile_modules(folder, folder, sys.executable)


def _build(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside `target`, make it read-only and rename it."""
    folder = Path(mkdtemp(prefix=_UNFINISHED, dir=target.parent))
    try:
        fill(folder)
        _make_read_only(folder)
        folder.rename(target)
    except BaseException:
        remove(folder)
        raise


def _link(file: str, target: str) -> str:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)
    return target


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """One process at a time. The lock ends with the process, however that ends."""
    descriptor = os.open(cache / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prune(cache: Path, newest: Path) -> None:
    """Remove what killed builds have left, and all but the last bundles; none that is in use."""
    for unfinished in cache.glob(f"{_UNFINISHED}*"):
        remove(unfinished)
    folders = [one for one in cache.iterdir() if one.is_dir() and one != newest]
    for packages in (True, False):
        kind = [one for one in folders if one.name.startswith(_PACKAGES) == packages]
        for old in sorted(kind, key=lambda one: one.stat().st_mtime, reverse=True)[_KEPT:]:
            if not _is_in_use(old):
                remove(old)


def _is_in_use(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _make_read_only(folder: Path) -> None:
    for path, _, files in os.walk(folder, topdown=False):
        for name in files:
            file = Path(path, name)
            file.chmod(0o555 if file.stat().st_mode & 0o100 else 0o444)
        Path(path).chmod(0o555)


def _make_writable(folder: Path) -> None:
    """The folders, not the files: those are linked."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o755)


def remove(folder: Path) -> None:
    """Remove a read-only folder."""
    _make_writable(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    with local_bundle(*map(Path, sys.argv[1:])):
        pass
