from pathlib import Path
from typing import Any

import pytest

from local.emulator.server import Emulator
from tests.public_clients.client_job import ClientJob
from tests.public_clients.lifecycle import LINES
from tests.support.generated_manifests import generate_varied_manifest
from tests.support.job import Job


@pytest.fixture
def client_job(tmp_path: Path) -> ClientJob:
    manifest = tmp_path / "any.manifest"
    manifest.write_bytes(generate_varied_manifest(120, seed=20))
    return ClientJob(manifest)


@pytest.fixture
def lifecycle_source(job: Job) -> dict[str, Any]:
    """The DatasetSource of a manifest with LINES, for `run_lifecycle`."""
    return job.upload_source(LINES)


@pytest.fixture
def environment(emulator: Emulator, tmp_path: Path) -> dict[str, str]:
    """The exports of a user, without other configuration of this machine."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
