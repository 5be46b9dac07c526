"""The main job and the lifecycle of a project with the AWS SDK for JavaScript."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.emulator.server import Emulator
from tests.public_clients.client_job import ClientJob
from tests.public_clients.client_process import ClientProcess, start_client
from tests.public_clients.lifecycle import get_items, join_pages, run_lifecycle
from tests.support import node

FOLDER = Path(__file__).with_name("js")


@pytest.fixture(scope="session")
def modules() -> None:
    """Installs the SDK pinned in package-lock.json."""
    node.install_packages(FOLDER)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("configuration", [{}, {"signingName": "execute-api"}])
def test_the_javascript_sdk_does_the_main_job(
    emulator: Emulator,
    environment: dict[str, str],
    client_job: ClientJob,
    configuration: dict[str, Any],
) -> None:
    s3 = emulator.create_client("s3")
    s3.create_bucket(Bucket=client_job.bucket)
    s3.upload_file(str(client_job.manifest), client_job.bucket, "any.manifest")
    arguments = (client_job.project, client_job.bucket, "any.manifest", json.dumps(configuration))
    done = node.run_script(
        FOLDER / "main_job.mjs", *arguments, folder=FOLDER, environment=environment
    )
    assert done.returncode == 0, done.stderr
    entries = json.loads(done.stdout)
    client_job.assert_split(entries["train"], entries["test"])


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_raises_its_class_of_the_error(
    environment: dict[str, str], client_job: ClientJob
) -> None:
    done = node.run_script(
        FOLDER / "main_job.mjs",
        client_job.project,
        client_job.bucket,
        "none",
        "{}",
        folder=FOLDER,
        environment=environment,
    )
    assert done.returncode == 1
    assert "InvalidS3ObjectException: Unable to get object metadata from S3." in done.stderr


@pytest.mark.usefixtures("modules")
def test_the_javascript_sdk_runs_the_lifecycle_of_a_project(
    environment: dict[str, str], lifecycle_source: dict[str, Any]
) -> None:
    with start_client([str(node.NODE), str(FOLDER / "calls.mjs")], environment) as program:
        run_lifecycle(_JavaScript(program), lifecycle_source)


@dataclass(frozen=True, slots=True)
class _JavaScript:
    program: ClientProcess

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.program.call({"operation": operation, "request": request})
        return answer

    def list_items(self, operation: str, page_size: int, **request: Any) -> list[Any]:
        pages = self.program.call({"operation": operation, "request": request, "size": page_size})
        return join_pages([get_items(page) for page in pages], page_size)

    def is_refused(self, error: str, operation: str, **request: Any) -> bool:
        call = {"operation": operation, "request": request, "error": error}
        refused: bool = self.program.call(call)
        return refused
