"""Cache of Lambda bundles built for this machine's Python. Worker processes import packages from a bundle only.

    build/bundle/lock               locked while a bundle is built or removed
    build/bundle/packages-<hash>/   the pinned packages and their bytecode; the hash excludes the sources of `twofold`
    build/bundle/<hash>/            a complete bundle: hard links to the packages, and a copy of `twofold`

After a change of the sources, only the copy is made again. Bundles are read-only, like /var/task. A bundle is built in a
temporary folder and renamed when complete, so a killed build leaves no incomplete bundle.
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
    compute_fingerprint,
    compute_packages_fingerprint,
    copy_package,
    install_packages,
)

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "bundle"

_PLATFORM = ("--python", sys.executable)
_PACKAGES = "packages-"
_UNFINISHED = "unfinished-"
_MAX_KEPT = 4
"""Number of older bundles to keep, for other branches and other versions of Python."""


@contextmanager
def open_bundle(source: Path = SOURCE, cache: Path = CACHE) -> Iterator[Path]:
    """Context manager that returns the folder of the bundle, building the bundle if necessary.

    The folder is not removed while the context is open. Raises subprocess.CalledProcessError when the packages cannot be
    installed or a module does not compile.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _lock_cache(cache):
        folder = _locate_bundle(source, cache)
        if not folder.exists():
            _build_folder(folder, lambda unfinished: _fill_bundle(unfinished, source, cache))
            _prune(cache, folder)
        in_use = os.open(folder, os.O_RDONLY)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        os.utime(folder)
    try:
        yield folder
    finally:
        os.close(in_use)


@contextmanager
def build_in_background(source: Path = SOURCE, cache: Path = CACHE) -> Iterator[None]:
    """Context manager: build a missing bundle in another process, while the caller imports modules.

    If the build fails, `open_bundle` builds again and reports the error.
    """
    if _locate_bundle(source, cache).exists():
        yield
        return
    folders = [str(folder.resolve()) for folder in (source, cache)]
    command = [sys.executable, "-m", "local.emulator.bundles", *folders]
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


def _locate_bundle(source: Path, cache: Path) -> Path:
    return cache / compute_fingerprint(source, _PLATFORM)[:16]


def _fill_bundle(folder: Path, source: Path, cache: Path) -> None:
    """Link the packages, copy the sources and compile these."""
    packages = cache / f"{_PACKAGES}{compute_packages_fingerprint(source, _PLATFORM)[:16]}"
    if not packages.exists():
        _build_folder(packages, lambda unfinished: _install_and_compile(unfinished, source))
    shutil.copytree(packages, folder, copy_function=_link_file, dirs_exist_ok=True)
    _make_writable(folder)
    copy_package(source, folder)
    compile_modules(folder / PACKAGE, folder, sys.executable)


def _install_and_compile(folder: Path, source: Path) -> None:
    install_packages(source, folder, _PLATFORM)
    compile_modules(folder, folder, sys.executable)


def _build_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Call `fill` on a temporary folder, make the folder read-only and rename it to `target`."""
    folder = Path(mkdtemp(prefix=_UNFINISHED, dir=target.parent))
    try:
        fill(folder)
        _make_read_only(folder)
        folder.rename(target)
    except BaseException:
        remove_bundle(folder)
        raise


def _link_file(file: str, target: str) -> str:
    """Create a hard link, or a copy where the file system has no hard links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)
    return target


@contextmanager
def _lock_cache(cache: Path) -> Iterator[None]:
    """Context manager: lock out all processes but this. The kernel releases the lock when the process ends."""
    descriptor = os.open(cache / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prune(cache: Path, newest: Path) -> None:
    """Remove unfinished builds, and all bundles but `newest` and the _MAX_KEPT most recently used; skip bundles in use."""
    for unfinished in cache.glob(f"{_UNFINISHED}*"):
        remove_bundle(unfinished)
    folders = [path for path in cache.iterdir() if path.is_dir() and path != newest]
    for is_packages in (True, False):
        same_type = [path for path in folders if path.name.startswith(_PACKAGES) == is_packages]
        same_type.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in same_type[_MAX_KEPT:]:
            if not _is_in_use(old):
                remove_bundle(old)


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
    """Make the folders writable. The files are hard links to other bundles and stay read-only."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o755)


def remove_bundle(folder: Path) -> None:
    """Remove the read-only folder of a bundle."""
    _make_writable(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    with open_bundle(*map(Path, sys.argv[1:])):
        pass
