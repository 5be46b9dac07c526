"""What only AWS can judge. Skipped unless TWOFOLD_AWS=1 is set and there are credentials; it creates nothing."""

import os
from typing import Any

import boto3
import pytest


@pytest.fixture(scope="session")
def states() -> Any:
    if os.environ.get("TWOFOLD_AWS") != "1":
        pytest.skip("asks AWS itself: set TWOFOLD_AWS=1, with credentials and a region, to run it")
    session: Any = boto3.Session()
    if not session.get_credentials():
        pytest.skip("TWOFOLD_AWS=1 is set, and there are no credentials")
    return session.client("stepfunctions")
