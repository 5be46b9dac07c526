"""Builds the bundle that all functions run from: the pinned packages, the `twofold` package and bytecode, without Docker.

Pure Python and uv; the CDK app wraps it as an asset (`infra/bundling.py`), the emulator runs it for this machine
(`local/bundles.py`). Two builds with the same interpreter have the same bytes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import uv

from twofold.settings import RUNTIME, Service

SOURCE = Path(__file__).parent.parent / "lambdas"
PACKAGE = "twofold"
REQUIREMENTS = "requirements.txt"
TASK_ROOT = "/var/task"
"""The bundle's folder in Lambda; tracebacks from bytecode name files there."""

# Amazon Linux 2023 has glibc 2.34; highspy has no wheel for anything older than 2.28.
LAMBDA = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", RUNTIME)


def bundle(source: Path, target: Path, platform: Sequence[str] = LAMBDA) -> None:
    """Fill the empty folder `target` with the bundle; two runs make the same bytes.

    `source` has requirements.txt and the package `twofold`. `platform` are uv's arguments for the machine that the wheels
    are for: Lambda's by default, `("--python", interpreter)` for this one. The bytecode is for the same version of Python;
    without an interpreter of that version the bundle has none (see `find_compiler`).
    Raises subprocess.CalledProcessError when uv cannot install or a module does not compile, after the tool has said why.
    """
    install_packages(source, target, platform)
    copy_package(source, target)
    compiler = find_compiler(platform)
    if compiler:
        compile_modules(target, target, compiler)


def fingerprint(source: Path, platform: Sequence[str] = LAMBDA) -> str:
    """SHA-256 of everything that decides the bundle's bytes: sources, pins, platform, compiler and this module."""
    digest = hashlib.sha256(packages_fingerprint(source, platform).encode())
    for file in package_files(source / PACKAGE):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def packages_fingerprint(source: Path, platform: Sequence[str]) -> str:
    """SHA-256 of what decides the third-party part and its bytecode; the sources of `twofold` do not count."""
    compiler = find_compiler(platform)
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update((source / REQUIREMENTS).read_bytes())
    parts = [*platform, *Service, (compiler and python_build(compiler)) or "no bytecode"]
    digest.update("\n".join(parts).encode())
    return digest.hexdigest()


def install_packages(source: Path, target: Path, platform: Sequence[str]) -> None:
    """Install the pinned packages into `target`, without what no function uses."""
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--target", str(target), *platform]
    install += ["--only-binary", ":all:", "--require-hashes", "-r", str(source / REQUIREMENTS)]
    # The pins carry hashes, so what uv has in its cache is as good as what the index would send.
    if subprocess.run([*install, "--offline"], capture_output=True, process_group=0).returncode:  # noqa: S603
        subprocess.run(install, check=True, process_group=0)  # noqa: S603
    _trim(target)


def copy_package(source: Path, target: Path) -> None:
    """Copy the sources of `twofold` into `target`."""
    for file in package_files(source / PACKAGE):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def compile_modules(folder: Path, root: Path, compiler: str) -> None:
    """Write bytecode beside every module under `folder`, which is `root` or lies in it.

    Lambda's folder is read-only, so a function that ships without bytecode compiles at every cold start. Unchecked hashes
    make the files independent of modification times, and Python loads them without looking at the source.
    """
    command = [compiler, "-S", "-s", "-B", "-W", "ignore", "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", TASK_ROOT]
    # The order of a set constant may depend on the hash seed.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*command, str(folder)], env=environment, check=True, process_group=0)  # noqa: S603


def find_compiler(platform: Sequence[str]) -> str | None:
    """The interpreter that `--python` names, or one of the version that `--python-version` names, if there is one."""
    options = dict(zip(platform[::2], platform[1::2], strict=True))
    if "--python" in options:
        return options["--python"]
    version = options.get("--python-version", "{}.{}".format(*sys.version_info))
    return _find_python(version, os.environ.get("PATH", os.defpath))


@cache
def _find_python(version: str, path: str) -> str | None:
    """This one, one that uv has installed, one of pyenv's or one of the search path; its patch version does not matter."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = sorted(map(str, pyenv.glob(f"{version}.*/bin")), reverse=True)
    search = {**os.environ, "PATH": os.pathsep.join([*folders, path])}
    find = [uv.find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads"]
    found = subprocess.run([*find, version], env=search, capture_output=True, text=True)  # noqa: S603
    return found.stdout.strip() or None


@cache
def python_build(interpreter: str) -> str:
    """Implementation, exact version and platform of an interpreter, such as `cpython 3.13.0 linux-x86_64`."""
    script = (
        "import platform, sys, sysconfig;"
        "print(sys.implementation.name, platform.python_version(), sysconfig.get_platform())"
    )
    done = subprocess.run(  # noqa: S603
        [interpreter, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def package_files(package: Path) -> list[Path]:
    """The files of a package that ship, sorted: no caches of tools, no hidden files."""
    return sorted(
        file
        for file in package.rglob("*")
        if file.is_file() and not any(map(_is_litter, file.relative_to(package).parts))
    )


def _is_litter(name: str) -> bool:
    """Caches of Python and of tools (.mypy_cache, .pytest_cache), and what desktops and editors leave."""
    return name == "__pycache__" or name.startswith(".")


def _trim(target: Path) -> None:
    """Drop what no function uses, and what differs from machine to machine (scripts and their hashes)."""
    shutil.rmtree(target / "bin")
    (target / ".lock").unlink(missing_ok=True)
    for record in target.glob("*.dist-info/RECORD"):
        record.unlink()
    for tests in sorted((target / "numpy").rglob("tests"), reverse=True):
        shutil.rmtree(tests)
    shipped = {service.value for service in Service}
    for service in (target / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in shipped:
            shutil.rmtree(service)
