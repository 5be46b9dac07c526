"""AWS in this process: moto beside whatever else uses it, so that neither loses what it holds."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.small import shrink
from tests.workflow.world import World
from twofold.stores import events, executions, objects
from twofold.stores.table import connection

_CACHED = (events._client, executions._client, objects._client, connection._client)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    mock = mock_aws()
    mock.start(reset=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for client in _CACHED:
            client.cache_clear()
        yield
        for client in _CACHED:
            client.cache_clear()
    mock.stop(remove_data=False)


@pytest.fixture
def world(aws: None) -> Iterator[World]:
    world = World.begin()
    yield world
    world.end()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
