"""One stack for the whole session: starting it takes seconds, and projects keep tests apart."""

from collections.abc import Iterator

import pytest

from local.stack import Stack, moto, running
from tests.backstage import Backstage
from tests.job import Job


@pytest.fixture(scope="session")
def backstage() -> Backstage:
    """What stands between the stack and moto; lets all requests through unless a test sets a scene."""
    return Backstage(moto())


@pytest.fixture(scope="session")
def stack(backstage: Backstage) -> Iterator[Stack]:
    with running(behind=backstage) as running_stack:
        yield running_stack


@pytest.fixture
def job(stack: Stack) -> Job:
    return Job.begin(stack)
