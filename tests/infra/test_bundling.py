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
from supply.bundling import LAMBDA, SOURCE, bundle, find_compiler, fingerprint
from supply.parts import Part, parts, size_of
from twofold.settings import RUNTIME, Service
from twofold.stores.clients import client

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
LAMBDA_LIMIT_MB = 250
BOTOCORE_DATA = {
    "_retry.json",
    "endpoints.json",
    "partitions.json",
    "sdk-default-configuration.json",
}
"""What every client of botocore reads, whatever its service."""
UNCHECKED_HASH = (1).to_bytes(4, "little")
LITTER = (
    ".DS_Store",
    "__pycache__/api.cpython-313.pyc",
    "handlers/.mypy_cache/3.13/api.data.json",
    "handlers/.pytest_cache/v/cache/nodeids",
    "handlers/.hidden/deep/module.py",
)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from sources that tools have been at."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("bundle")
    shutil.copytree(SOURCE, source, dirs_exist_ok=True)
    _litter(source / "twofold")
    bundle(source, target)
    return target


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small package with pins, which can be changed."""
    copy = tmp_path / "lambdas"
    (copy / "twofold" / "handlers").mkdir(parents=True)
    (copy / "requirements.txt").write_text("numpy==2.4.6\n")
    (copy / "twofold" / "handlers" / "api.py").write_text("handler = print\n")
    return copy


def _litter(package: Path) -> None:
    for name in LITTER:
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"litter")


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_every_compiled_package_is_for_lambda_on_arm(bundled: Path) -> None:
    tags = {
        wheel.parent.name: [
            line.removeprefix("Tag: ")
            for line in wheel.read_text().splitlines()
            if line.startswith("Tag: ")
        ]
        for wheel in bundled.glob("*.dist-info/WHEEL")
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
    assert not list(bundled.rglob("*x86_64*"))


def test_the_bundle_is_far_below_the_limit_of_lambda_and_the_docs_show_the_margin(
    bundled: Path,
) -> None:
    megabytes = sum(f.stat().st_size for f in bundled.rglob("*") if f.is_file()) / 1e6
    assert megabytes < LAMBDA_LIMIT_MB / 2
    said = re.search(r"\| code, unpacked \| (\d+) MB \| (\d+) MB \|", OPERATIONS.read_text())
    assert said, "docs/operations.md says how large the bundle is"
    assert abs(int(said[1]) - megabytes) < 4, megabytes
    assert int(said[2]) == LAMBDA_LIMIT_MB


def test_the_bundle_holds_the_package_as_it_is_and_its_dependencies_alone(bundled: Path) -> None:
    ours = {
        name
        for name in _digests(bundled)
        if name.startswith("twofold/") and "__pycache__" not in name
    }
    shipped = {
        f"twofold/{file.relative_to(SOURCE / 'twofold').as_posix()}"
        for pattern in ("*.py", "*.json", "*.css", "*.js")
        for file in (SOURCE / "twofold").rglob(pattern)
        if ".mypy_cache" not in file.parts
    }
    assert ours == shipped
    top = {entry.name for entry in bundled.iterdir()}
    assert top.isdisjoint({"infra", "local", "tests", "bin", "aws_cdk", "moto", "requirements.txt"})
    assert not [
        file for file in bundled.rglob("*") if file.is_file() and file.read_bytes() == b"litter"
    ]
    assert not list((bundled / "twofold").rglob(".*"))


def test_botocore_has_the_models_of_the_registry_and_no_others(bundled: Path) -> None:
    data = bundled / "botocore" / "data"
    assert {entry.name for entry in data.iterdir()} == {*Service, *BOTOCORE_DATA}
    for service in Service:
        assert list((data / service).rglob("service-2.json*")), service
    assert (bundled / "botocore" / "cacert.pem").exists()


def test_a_service_outside_of_the_registry_cannot_be_requested() -> None:
    unknown: Service = "sqs"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="'sqs' is not a valid Service"):
        client(unknown, Config(region_name="eu-west-1"))


def test_every_client_of_the_functions_comes_through_the_registry() -> None:
    """One module makes clients, and each member of the registry is asked for."""
    makers, requested = set(), set()
    for file in (SOURCE / "twofold").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            name = file.relative_to(SOURCE / "twofold").as_posix()
            if set(_names(node)) & {"boto3", "botocore.session", "create_client", "get_session"}:
                makers.add(name)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Service":
                requested.add(node.attr)
    assert makers == {"stores/clients.py"}
    assert requested == set(Service.__members__)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield from (module, *(f"{module}.{one.name}" for one in names))
        case ast.Attribute(attr=name):
            yield name


@pytest.mark.skipif(not find_compiler(LAMBDA), reason=f"there is no Python {RUNTIME}")
def test_every_module_ships_with_bytecode_that_lambda_loads_unchecked(bundled: Path) -> None:
    """Files of a function's folder can't be written, so what has none is compiled at each cold start."""
    tag, magic = _bytecode_of(str(find_compiler(LAMBDA)))
    modules = sorted(bundled.rglob("*.py"))
    assert len(modules) > 500
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc"
        assert compiled.read_bytes()[:8] == magic + UNCHECKED_HASH, module
    assert len(list(bundled.rglob("*.pyc"))) == len(modules)
    compiled = bundled / "twofold" / "__pycache__" / f"settings.{tag}.pyc"
    assert b"/var/task/twofold/settings.py" in compiled.read_bytes()


def _bytecode_of(interpreter: str) -> tuple[str, bytes]:
    """The tag in the names of bytecode files, and the magic number that they begin with."""
    script = (
        "import importlib.util as u, sys; print(sys.implementation.cache_tag, u.MAGIC_NUMBER.hex())"
    )
    done = subprocess.run([interpreter, "-c", script], check=True, capture_output=True, text=True)
    tag, magic = done.stdout.split()
    return tag, bytes.fromhex(magic)


def test_without_the_version_of_lambda_the_bundle_has_no_bytecode_and_the_cli_says_so(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = fingerprint(sources)
    monkeypatch.setattr(bundling, "_find_python", lambda version, path: None)
    assert fingerprint(sources) != compiled or not find_compiler(LAMBDA)
    bundle(SOURCE, tmp_path / "plain")
    assert not list((tmp_path / "plain").rglob("*.pyc"))
    build(outdir=tmp_path / "out", context={"aws:cdk:bundling-stacks": []}, checked=False).synth()
    (metadata,) = (tmp_path / "out").glob("*.metadata.json")
    assert NO_COMPILER in metadata.read_text()


def test_a_module_that_does_not_compile_fails_the_bundle(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text("def broken(:\n")
    with pytest.raises(subprocess.CalledProcessError):
        bundling.compile_modules(tmp_path, tmp_path, sys.executable)
    assert "broken.py" in capfd.readouterr().out


def test_two_bundles_are_the_same_to_the_byte(bundled: Path, tmp_path: Path) -> None:
    bundle(SOURCE, tmp_path)
    assert _digests(tmp_path) == _digests(bundled)


def test_the_fingerprint_follows_sources_and_pins_and_nothing_else(sources: Path) -> None:
    before = fingerprint(sources)
    _litter(sources / "twofold")
    assert fingerprint(sources) == before

    (sources / "twofold" / "handlers" / "api.py").write_text("handler = len\n")
    changed = fingerprint(sources)
    assert changed != before
    (sources / "requirements.txt").write_text("numpy==2.4.5\n")
    assert fingerprint(sources) not in (before, changed)


def test_the_fingerprint_does_not_depend_on_where_the_sources_lie(
    sources: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / ".hidden" / "elsewhere"
    shutil.copytree(sources, elsewhere)
    assert fingerprint(elsewhere) == fingerprint(sources)


def test_a_file_that_is_renamed_changes_the_fingerprint(sources: Path) -> None:
    before = fingerprint(sources)
    handlers = sources / "twofold" / "handlers"
    (handlers / "api.py").rename(handlers / "door.py")
    assert fingerprint(sources) != before


def test_every_licence_in_the_bundle_is_allowed(bundled: Path) -> None:
    found = parts(bundled)
    assert {part.name: part.objections for part in found if part.objections} == {}
    assert sum(part.size for part in found) + size_of(bundled / "twofold") == size_of(bundled)


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND LicenseRef-Other", "AGPL-3.0-only OR MIT"]
)
def test_another_licence_is_objected_to(licence: str) -> None:
    assert Part("some", "1", licence, 0).objections


def test_the_page_of_the_bundle_has_the_versions_that_ship(bundled: Path) -> None:
    page = (ROOT / "docs" / "bundle.md").read_text()
    rows = [f"| {part.name} | {part.version} | {part.licence} |" for part in parts(bundled)]
    assert [row for row in rows if row not in page] == []
