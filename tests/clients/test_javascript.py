"""The main job and the whole life of a project as the AWS SDK for JavaScript does them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests import node
from tests.clients.life import items, joined, walk
from tests.clients.outcome import Given
from tests.clients.program import Program, started

FOLDER = Path(__file__).with_name("js")


@pytest.fixture(scope="session")
def modules() -> None:
    """The SDK as package-lock.json pins it."""
    node.install(FOLDER)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("configuration", [{}, {"signingName": "execute-api"}])
def test_the_javascript_sdk_does_the_main_job(
    stack: Stack, environment: dict[str, str], given: Given, configuration: dict[str, Any]
) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=given.bucket)
    s3.upload_file(str(given.manifest), given.bucket, "any.manifest")
    arguments = (given.project, given.bucket, "any.manifest", json.dumps(configuration))
    done = node.run(FOLDER / "main_job.mjs", *arguments, folder=FOLDER, environment=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    given.assert_split(found["train"], found["test"])


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_sees_an_error_of_its_own_class(
    environment: dict[str, str], given: Given
) -> None:
    done = node.run(
        FOLDER / "main_job.mjs",
        given.project,
        given.bucket,
        "none",
        "{}",
        folder=FOLDER,
        environment=environment,
    )
    assert done.returncode == 1
    assert "InvalidS3ObjectException: Unable to get object metadata from S3." in done.stderr


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_walks_the_whole_life_of_a_project(
    environment: dict[str, str], life: dict[str, Any]
) -> None:
    with started([str(node.NODE), str(FOLDER / "calls.mjs")], environment) as program:
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
