"""Build the bundle of the Lambda functions: pinned packages, the `twofold` package and bytecode, without Docker.

Uses only Python and uv. The CDK app wraps the bundle as an asset (`infra/bundling.py`); the local emulator builds its own
(`local/emulator/bundles.py`). Builds with the same interpreter are byte for byte equal.
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
"""Folder of the bundle in Lambda, and of the file names in tracebacks from bytecode."""

# uv's platform arguments for Lambda. Amazon Linux 2023 has glibc 2.34; highspy's wheels need glibc 2.28 or later.
LAMBDA = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", RUNTIME)


def build_bundle(source: Path, target: Path, platform: Sequence[str] = LAMBDA) -> None:
    """Write the bundle into the empty folder `target`.

    source    folder with requirements.txt and the package `twofold`
    platform  uv's arguments for the target machine: Lambda by default, `("--python", interpreter)` for this machine

    Bytecode is compiled for the same Python version, and left out if no interpreter of this version exists (see
    `find_compiler`). Raises subprocess.CalledProcessError if uv or the compiler fails, after the tool's own error output.
    """
    install_packages(source, target, platform)
    copy_package(source, target)
    compiler = find_compiler(platform)
    if compiler:
        compile_modules(target, target, compiler)


def compute_fingerprint(source: Path, platform: Sequence[str] = LAMBDA) -> str:
    """Return the SHA-256 of all inputs of the bundle: sources, pins, platform, compiler and this module."""
    digest = hashlib.sha256(compute_packages_fingerprint(source, platform).encode())
    for file in list_package_files(source / PACKAGE):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def compute_packages_fingerprint(source: Path, platform: Sequence[str]) -> str:
    """Return the SHA-256 of all inputs of the third-party packages and bytecode, without the sources of `twofold`."""
    compiler = find_compiler(platform)
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update((source / REQUIREMENTS).read_bytes())
    inputs = [*platform, *Service, (compiler and describe_interpreter(compiler)) or "no bytecode"]
    digest.update("\n".join(inputs).encode())
    return digest.hexdigest()


def install_packages(source: Path, target: Path, platform: Sequence[str]) -> None:
    """Install the pinned packages into `target`, and remove unused files."""
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--target", str(target), *platform]
    install += ["--only-binary", ":all:", "--require-hashes", "-r", str(source / REQUIREMENTS)]
    # Try uv's cache first; the pinned hashes make cached wheels as trustworthy as downloaded ones.
    if subprocess.run([*install, "--offline"], capture_output=True, process_group=0).returncode:  # noqa: S603
        subprocess.run(install, check=True, process_group=0)  # noqa: S603
    _remove_unused_files(target)


def copy_package(source: Path, target: Path) -> None:
    """Copy the sources of `twofold` into `target`."""
    for file in list_package_files(source / PACKAGE):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def compile_modules(folder: Path, root: Path, compiler: str) -> None:
    """Write bytecode beside every module under `folder`, a folder in the bundle `root` or `root` itself.

    Lambda's folder is read-only, so a function without bytecode would compile its modules at every cold start. Hash-based,
    unchecked bytecode is independent of modification times, and Python loads such files without reading the source.
    """
    command = [compiler, "-S", "-s", "-B", "-W", "ignore", "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", TASK_ROOT]
    # The order of set constants in bytecode may depend on the hash seed.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*command, str(folder)], env=environment, check=True, process_group=0)  # noqa: S603


def find_compiler(platform: Sequence[str]) -> str | None:
    """Return the interpreter of `--python`, or an interpreter of the version in `--python-version`; None without one."""
    options = dict(zip(platform[::2], platform[1::2], strict=True))
    if "--python" in options:
        return options["--python"]
    version = options.get("--python-version", "{}.{}".format(*sys.version_info))
    return _find_python(version, os.environ.get("PATH", os.defpath))


@cache
def _find_python(version: str, path: str) -> str | None:
    """Find an interpreter of a minor version: the running one, else an interpreter of uv, pyenv or `path`, in this order."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = sorted(map(str, pyenv.glob(f"{version}.*/bin")), reverse=True)
    search = {**os.environ, "PATH": os.pathsep.join([*folders, path])}
    find = [uv.find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads"]
    completed = subprocess.run([*find, version], env=search, capture_output=True, text=True)  # noqa: S603
    return completed.stdout.strip() or None


@cache
def describe_interpreter(interpreter: str) -> str:
    """Return implementation, exact version and platform of an interpreter, such as `cpython 3.13.0 linux-x86_64`."""
    script = (
        "import platform, sys, sysconfig;"
        "print(sys.implementation.name, platform.python_version(), sysconfig.get_platform())"
    )
    completed = subprocess.run(  # noqa: S603
        [interpreter, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    return completed.stdout.strip()


def list_package_files(package: Path) -> list[Path]:
    """Return the shipped files of a package, sorted, without hidden files and caches of tools."""
    return sorted(
        file
        for file in package.rglob("*")
        if file.is_file() and not any(map(_is_tool_file, file.relative_to(package).parts))
    )


def _is_tool_file(name: str) -> bool:
    """Return whether a name belongs to a cache (`__pycache__`, `.mypy_cache`) or a hidden file of desktops and editors."""
    return name == "__pycache__" or name.startswith(".")


def _remove_unused_files(target: Path) -> None:
    """Remove tests and unused service models, and the files with machine-dependent content (scripts and RECORD)."""
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
