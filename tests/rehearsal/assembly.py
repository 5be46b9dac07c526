"""Cloud assemblies for the emulator: synthesized by the CDK app, with the bundle of this machine's Python in them.

The wheels of the bundle are the one thing besides `differences.py` that is not as deployed: functions run on this machine's
processor, so the same code bundles the same pins for it.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from supply.bundling import bundle
from tests.rehearsal.differences import Template, apply_differences

ROOT = Path(__file__).parents[2]
SOURCES = ("app.py", "cdk.json", "infra", "lambdas", "supply")

_SYNTHESIZE = """
import json, sys
sys.path[:0] = [".", "lambdas"]
from pathlib import Path
from infra.application import build
for folder, arguments in json.load(sys.stdin):
    context = {"aws:cdk:bundling-stacks": []}
    build(arguments, outdir=Path(folder), context=context, checked=False).synth()
"""


def zip_bundle(sources: Path, functions_python: Path, target: Path) -> Path:
    """Bundle a tree's `lambdas` for the Python that runs the functions; returns the archive, stored uncompressed."""
    folder = target.with_suffix("")
    folder.mkdir(parents=True)
    bundle(sources / "lambdas", folder, ("--python", str(functions_python)))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return target


def copy_sources(target: Path) -> Path:
    """A copy of what the app is synthesized from, to be changed into another release."""
    for name in SOURCES:
        origin = ROOT / name
        if origin.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(origin, target / name, ignore=ignored)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, target / name)
    return target


def synthesize(
    sources: Path,
    archive: Path,
    assemblies: dict[Path, Sequence[str]],
    change: Callable[[Template], None] = lambda template: None,
) -> None:
    """Write an assembly for each stage: its folder, and the options of the app as `option=value`.

    `archive` replaces the bundle for Lambda. `change` alters a template after the differences, to make a release that fails.
    """
    orders = [(str(folder), list(arguments)) for folder, arguments in assemblies.items()]
    subprocess.run(
        [sys.executable, "-c", _SYNTHESIZE],
        cwd=sources,
        input=json.dumps(orders).encode(),
        check=True,
        timeout=300,
    )
    for folder in assemblies:
        _adapt(folder, archive, change)


def _adapt(folder: Path, archive: Path, change: Callable[[Template], None]) -> None:
    (assets_file,) = folder.glob("*.assets.json")
    (template_file,) = folder.glob("*.template.json")
    shutil.copy(template_file, folder / "synthesized.json")
    template = json.loads(template_file.read_bytes())
    apply_differences(template)
    change(template)
    template_file.write_text(json.dumps(template))
    assets = json.loads(assets_file.read_bytes())
    for old_hash, asset in list(assets["files"].items()):
        if asset["source"]["path"] == template_file.name:
            _rename_asset(folder, old_hash, _digest(template_file))
        else:
            _point_to_archive(assets_file, old_hash, archive)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rename_asset(folder: Path, old_hash: str, new_hash: str) -> None:
    """The CDK CLI uploads an asset only if the bucket has none of its name."""
    for file in (*folder.glob("*.assets.json"), folder / "manifest.json"):
        file.write_text(file.read_text().replace(old_hash, new_hash))


def _point_to_archive(assets_file: Path, asset_hash: str, archive: Path) -> None:
    assets = json.loads(assets_file.read_bytes())
    assets["files"][asset_hash]["source"] = {"path": str(archive), "packaging": "file"}
    assets_file.write_text(json.dumps(assets))
