"""Cloud assemblies for MiniStack: synthesized by the CDK app, with a bundle for this machine.

Besides the changes in `differences.py`, only the wheels of the bundle differ from a deployment: functions run on this machine's
processor, so the bundle has the same pins, built for this platform.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from supply.bundling import build_bundle
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
    build(arguments, outdir=Path(folder), context=context, with_checks=False).synth()
"""


def zip_bundle(sources: Path, functions_python: Path, target: Path) -> Path:
    """Bundle a tree's `lambdas` for the Python of the functions, and return the uncompressed zip file."""
    folder = target.with_suffix("")
    folder.mkdir(parents=True)
    build_bundle(sources / "lambdas", folder, ("--python", str(functions_python)))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return target


def copy_sources(target: Path) -> Path:
    """Copy the sources of the app, for changes into another release, and return the copy."""
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
    """Write a cloud assembly for each stage.

    sources     tree of the app
    archive     zip file in place of the bundle for Lambda
    assemblies  options of the app as `option=value`, by folder of the assembly
    change      further change of a template, for example to make a failing release
    """
    jobs = [(str(folder), list(arguments)) for folder, arguments in assemblies.items()]
    subprocess.run(
        [sys.executable, "-c", _SYNTHESIZE],
        cwd=sources,
        input=json.dumps(jobs).encode(),
        check=True,
        timeout=300,
    )
    for folder in assemblies:
        _adapt_assembly(folder, archive, change)


def _adapt_assembly(folder: Path, archive: Path, change: Callable[[Template], None]) -> None:
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
            _rename_asset(folder, old_hash, _compute_digest(template_file))
        else:
            _replace_with_archive(assets_file, old_hash, archive)


def _compute_digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rename_asset(folder: Path, old_hash: str, new_hash: str) -> None:
    """Rename an asset, because the CDK CLI uploads an asset only if the bucket has no object of this name."""
    for file in (*folder.glob("*.assets.json"), folder / "manifest.json"):
        file.write_text(file.read_text().replace(old_hash, new_hash))


def _replace_with_archive(assets_file: Path, asset_hash: str, archive: Path) -> None:
    assets = json.loads(assets_file.read_bytes())
    assets["files"][asset_hash]["source"] = {"path": str(archive), "packaging": "file"}
    assets_file.write_text(json.dumps(assets))
