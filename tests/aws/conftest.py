"""Tests against AWS itself, without created resources; skipped without TWOFOLD_AWS=1 and credentials."""

import os
from typing import Any

import boto3
import pytest


@pytest.fixture(scope="session")
def states() -> Any:
    if os.environ.get("TWOFOLD_AWS") != "1":
        pytest.skip("needs AWS: set TWOFOLD_AWS=1, with credentials and a region, to run this test")
    session: Any = boto3.Session()
    if not session.get_credentials():
        pytest.skip("TWOFOLD_AWS=1 is set, but the shell has no credentials")
    return session.client("stepfunctions")
