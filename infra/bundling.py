"""The one code asset that all functions share, made by uv for Lambda's platform, without Docker."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import jsii
import uv
from aws_cdk import AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from twofold.settings import RUNTIME

SOURCE = Path(__file__).parent.parent / "lambdas"
PACKAGE = "twofold"
REQUIREMENTS = "requirements.txt"

# Amazon Linux 2023 has glibc 2.34; highspy has no wheel for anything older than 2.28.
_PLATFORM = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", RUNTIME)

# The service models of botocore are 28 MB; these are the ones that the functions call.
_SERVICES = frozenset({"dynamodb", "s3", "stepfunctions", "sts"})


def code() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(SOURCE),
        asset_hash=fingerprint(SOURCE),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=lambda_.Runtime.PYTHON_3_13.bundling_image,
            local=cast(ILocalBundling, _UvBundling()),
        ),
    )


def fingerprint(source: Path) -> str:
    """Hash of everything that decides what the bundle holds: the sources, the pins, and this module."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for file in [source / REQUIREMENTS, *_files(source / PACKAGE)]:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def bundle(source: Path, target: Path, platform: Sequence[str] = _PLATFORM) -> None:
    """Fill the empty folder `target` with what ships; two runs make the same bytes.

    `platform` are uv's arguments for the machine that the wheels are for: Lambda's, unless told otherwise.
    Raises subprocess.CalledProcessError when uv cannot install, after uv has said why.
    """
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--target", str(target), *platform]
    install += ["--only-binary", ":all:", "--require-hashes", "-r", str(source / REQUIREMENTS)]
    # The pins carry hashes, so what uv has in its cache is as good as what the index would send.
    if subprocess.run([*install, "--offline"], capture_output=True).returncode:  # noqa: S603
        subprocess.run(install, check=True)  # noqa: S603
    _trim(target)
    for file in _files(source / PACKAGE):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def _files(package: Path) -> list[Path]:
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
    for service in (target / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in _SERVICES:
            shutil.rmtree(service)


@jsii.implements(ILocalBundling)
class _UvBundling:
    # jsii passes the options as one object, whatever the generated interface says (aws-cdk#26581).
    def try_bundle(self, output_dir: str, options: BundlingOptions) -> bool:
        bundle(SOURCE, Path(output_dir))
        return True
