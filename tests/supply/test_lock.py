"""One lock: uv.lock fits pyproject.toml, and the two exported requirements.txt fit uv.lock."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv", path=str(Path(sys.executable).parent))


def run_uv(*arguments: str) -> str:
    """Run uv on the project without network access; return its output."""
    assert UV is not None
    result = subprocess.run(
        [UV, *arguments, "--offline"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_lock_fits_the_dependencies_of_the_project() -> None:
    run_uv("lock", "--check")


@pytest.mark.parametrize(
    ("group", "file"), [("cdk", "requirements.txt"), ("lambda", "lambdas/requirements.txt")]
)
def test_requirements_are_an_export_of_the_lock(group: str, file: str) -> None:
    """As `make lock` writes them."""
    options = ("--frozen", "--no-emit-project", "--no-header", "--only-group", group)
    assert (ROOT / file).read_text() == run_uv("export", "--quiet", *options)


def test_the_lock_names_no_other_index_than_pypi() -> None:
    lines = (ROOT / "uv.lock").read_text().splitlines()
    registries = {line.strip() for line in lines if line.startswith("source = { registry")}
    assert registries == {'source = { registry = "https://pypi.org/simple" }'}


def test_every_version_of_the_bundle_is_the_tested_one() -> None:
    """The groups of tests and functions resolve together."""
    exports = {
        group: run_uv(
            "export", "--frozen", "--no-emit-project", "--no-hashes", "--only-group", group
        )
        for group in ("lambda", "dev")
    }
    pins = {
        group: {line.split(" ")[0] for line in text.splitlines() if "==" in line}
        for group, text in exports.items()
    }
    assert pins["lambda"] <= pins["dev"]
