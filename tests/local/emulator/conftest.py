from typing import Any
from uuid import uuid4

import pytest

from local.emulator.server import Emulator


@pytest.fixture(scope="module")
def s3(emulator: Emulator) -> Any:
    return emulator.create_client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"bucket-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name
