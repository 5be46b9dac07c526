import ast
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config

from infra.application import build
from infra.bundling import NO_COMPILER
from supply import bundling
from supply.bundling import LAMBDA, SOURCE, build_bundle, compute_fingerprint, find_compiler
from supply.packages import Package, list_packages, measure_folder
from twofold.settings import RUNTIME, Service
from twofold.stores.clients import create_client

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
LAMBDA_LIMIT_MB = 250
BOTOCORE_DATA = {
    "_retry.json",
    "endpoints.json",
    "partitions.json",
    "sdk-default-configuration.json",
}
"""Files of botocore's data folder for all services."""
UNCHECKED_HASH = (1).to_bytes(4, "little")
TOOL_FILES = (
    ".DS_Store",
    "__pycache__/api.cpython-313.pyc",
    "handlers/.mypy_cache/3.13/api.data.json",
    "handlers/.pytest_cache/v/cache/nodeids",
    "handlers/.hidden/deep/module.py",
)


@pytest.fixture(scope="module")
def built_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, built from sources with files of tools."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("bundle")
    shutil.copytree(SOURCE, source, dirs_exist_ok=True)
    _write_tool_files(source / "twofold")
    build_bundle(source, target)
    return target


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small, writable copy of the sources."""
    copy = tmp_path / "lambdas"
    (copy / "twofold" / "handlers").mkdir(parents=True)
    (copy / "requirements.txt").write_text("numpy==2.4.6\n")
    (copy / "twofold" / "handlers" / "api.py").write_text("handler = print\n")
    return copy


def _write_tool_files(package: Path) -> None:
    for name in TOOL_FILES:
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"tool file")


def _compute_digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_every_compiled_package_is_for_lambda_on_arm(built_bundle: Path) -> None:
    tags = {
        wheel.parent.name: [
            line.removeprefix("Tag: ")
            for line in wheel.read_text().splitlines()
            if line.startswith("Tag: ")
        ]
        for wheel in built_bundle.glob("*.dist-info/WHEEL")
    }
    assert {name.split("-")[0] for name in tags} >= {
        "numpy",
        "orjson",
        "msgspec",
        "highspy",
        "pydantic_core",
    }
    for name, supported in tags.items():
        for tag in supported:
            assert tag.endswith(("-none-any", "_aarch64")), name
            assert tag.startswith(("py2", "py3", "cp313", "cp3")), name
    assert not list(built_bundle.rglob("*x86_64*"))


def test_the_bundle_is_far_below_the_limit_of_lambda_and_the_docs_show_the_margin(
    built_bundle: Path,
) -> None:
    megabytes = sum(f.stat().st_size for f in built_bundle.rglob("*") if f.is_file()) / 1e6
    assert megabytes < LAMBDA_LIMIT_MB / 2
    row = re.search(r"\| code, unpacked \| (\d+) MB \| (\d+) MB \|", OPERATIONS.read_text())
    assert row, "docs/operations.md states the size of the bundle"
    assert abs(int(row[1]) - megabytes) < 4, megabytes
    assert int(row[2]) == LAMBDA_LIMIT_MB


def test_the_bundle_has_only_the_unchanged_package_and_its_dependencies(
    built_bundle: Path,
) -> None:
    bundled_files = {
        name
        for name in _compute_digests(built_bundle)
        if name.startswith("twofold/") and "__pycache__" not in name
    }
    shipped = {
        f"twofold/{file.relative_to(SOURCE / 'twofold').as_posix()}"
        for pattern in ("*.py", "*.json", "*.css", "*.js", "py.typed")
        for file in (SOURCE / "twofold").rglob(pattern)
        if ".mypy_cache" not in file.parts
    }
    assert bundled_files == shipped
    entries = {entry.name for entry in built_bundle.iterdir()}
    assert entries.isdisjoint(
        {"infra", "local", "tests", "bin", "aws_cdk", "moto", "requirements.txt"}
    )
    assert not [
        file
        for file in built_bundle.rglob("*")
        if file.is_file() and file.read_bytes() == b"tool file"
    ]
    assert not list((built_bundle / "twofold").rglob(".*"))


def test_botocore_has_the_models_of_the_registry_and_no_others(built_bundle: Path) -> None:
    data = built_bundle / "botocore" / "data"
    assert {entry.name for entry in data.iterdir()} == {*Service, *BOTOCORE_DATA}
    for service in Service:
        assert list((data / service).rglob("service-2.json*")), service
    assert (built_bundle / "botocore" / "cacert.pem").exists()


def test_a_service_outside_of_the_registry_cannot_be_requested() -> None:
    unknown: Service = "sqs"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="'sqs' is not a valid Service"):
        create_client(unknown, Config(region_name="eu-west-1"))


def test_every_client_of_the_functions_comes_through_the_registry() -> None:
    """A single module creates clients, and each member of the registry is used."""
    makers, requested = set(), set()
    for file in (SOURCE / "twofold").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            name = file.relative_to(SOURCE / "twofold").as_posix()
            if set(_list_names(node)) & {
                "boto3",
                "botocore.session",
                "create_client",
                "get_session",
            }:
                makers.add(name)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Service":
                requested.add(node.attr)
    assert makers == {"stores/clients.py"}
    assert requested == set(Service.__members__)


def _list_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield from (module, *(f"{module}.{alias.name}" for alias in names))
        case ast.Attribute(attr=name):
            yield name


@pytest.mark.skipif(not find_compiler(LAMBDA), reason=f"Python {RUNTIME} is not installed")
def test_every_module_ships_with_bytecode_that_lambda_loads_unchecked(built_bundle: Path) -> None:
    """The folder of a function is read-only, so modules without bytecode are compiled at each cold start."""
    tag, magic = _read_bytecode_format(str(find_compiler(LAMBDA)))
    modules = sorted(built_bundle.rglob("*.py"))
    assert len(modules) > 500
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc"
        assert compiled.read_bytes()[:8] == magic + UNCHECKED_HASH, module
    assert len(list(built_bundle.rglob("*.pyc"))) == len(modules)
    compiled = built_bundle / "twofold" / "__pycache__" / f"settings.{tag}.pyc"
    assert b"/var/task/twofold/settings.py" in compiled.read_bytes()


def _read_bytecode_format(interpreter: str) -> tuple[str, bytes]:
    """Return the tag in the names of bytecode files, and the magic number at their beginning."""
    script = (
        "import importlib.util as u, sys; print(sys.implementation.cache_tag, u.MAGIC_NUMBER.hex())"
    )
    done = subprocess.run([interpreter, "-c", script], check=True, capture_output=True, text=True)
    tag, magic = done.stdout.split()
    return tag, bytes.fromhex(magic)


def test_without_the_version_of_lambda_the_bundle_has_no_bytecode_and_the_cli_says_so(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compute_fingerprint(sources)
    monkeypatch.setattr(bundling, "_find_python", lambda version, path: None)
    assert compute_fingerprint(sources) != compiled or not find_compiler(LAMBDA)
    build_bundle(SOURCE, tmp_path / "plain")
    assert not list((tmp_path / "plain").rglob("*.pyc"))
    build(
        outdir=tmp_path / "out", context={"aws:cdk:bundling-stacks": []}, with_checks=False
    ).synth()
    (metadata,) = (tmp_path / "out").glob("*.metadata.json")
    assert NO_COMPILER in metadata.read_text()


def test_a_module_that_does_not_compile_fails_the_bundle(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text("def broken(:\n")
    with pytest.raises(subprocess.CalledProcessError):
        bundling.compile_modules(tmp_path, tmp_path, sys.executable)
    assert "broken.py" in capfd.readouterr().out


def test_two_bundles_are_the_same_to_the_byte(built_bundle: Path, tmp_path: Path) -> None:
    build_bundle(SOURCE, tmp_path)
    assert _compute_digests(tmp_path) == _compute_digests(built_bundle)


def test_the_fingerprint_follows_sources_and_pins_and_nothing_else(sources: Path) -> None:
    before = compute_fingerprint(sources)
    _write_tool_files(sources / "twofold")
    assert compute_fingerprint(sources) == before

    (sources / "twofold" / "handlers" / "api.py").write_text("handler = len\n")
    changed = compute_fingerprint(sources)
    assert changed != before
    (sources / "requirements.txt").write_text("numpy==2.4.5\n")
    assert compute_fingerprint(sources) not in (before, changed)


def test_the_fingerprint_does_not_depend_on_the_path_of_the_sources(
    sources: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / ".hidden" / "elsewhere"
    shutil.copytree(sources, elsewhere)
    assert compute_fingerprint(elsewhere) == compute_fingerprint(sources)


def test_a_file_that_is_renamed_changes_the_fingerprint(sources: Path) -> None:
    before = compute_fingerprint(sources)
    handlers = sources / "twofold" / "handlers"
    (handlers / "api.py").rename(handlers / "renamed.py")
    assert compute_fingerprint(sources) != before


def test_every_licence_in_the_bundle_is_allowed(built_bundle: Path) -> None:
    packages = list_packages(built_bundle)
    refused = [package.name for package in packages if package.disallowed_licences]
    assert refused == []
    assert sum(package.size for package in packages) + measure_folder(
        built_bundle / "twofold"
    ) == measure_folder(built_bundle)


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND LicenseRef-Other", "AGPL-3.0-only OR MIT"]
)
def test_any_other_licence_is_refused(licence: str) -> None:
    assert Package("some", "1", licence, 0).disallowed_licences


def test_the_page_of_the_bundle_has_the_versions_that_ship(built_bundle: Path) -> None:
    page = (ROOT / "docs" / "bundle.md").read_text()
    rows = [
        f"| {part.name} | {part.version} | {part.licence} |" for part in list_packages(built_bundle)
    ]
    assert [row for row in rows if row not in page] == []
