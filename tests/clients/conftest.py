from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.clients.life import LINES
from tests.clients.outcome import Given
from tests.job import Job
from tests.manifests import any_manifest


@pytest.fixture
def given(tmp_path: Path) -> Given:
    manifest = tmp_path / "any.manifest"
    manifest.write_bytes(any_manifest(120, seed=20))
    return Given(manifest)


@pytest.fixture
def life(job: Job) -> dict[str, Any]:
    """The DatasetSource that a project's whole life begins with."""
    return job.source(LINES)


@pytest.fixture
def environment(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """What a user exports, and nothing of the machine's own configuration."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
