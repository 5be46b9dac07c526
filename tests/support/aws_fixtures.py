"""Fixtures for tests without HTTP: moto in this process, beside the data of the session's emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from twofold.stores import contents, events, executions, objects
from twofold.stores.table import connection

CACHED_CLIENTS: tuple[Any, ...] = (
    objects.get_client,
    events.get_client,
    executions.get_client,
    connection.get_client,
    contents._read_header,
)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """moto's AWS for a module, without a reset of the emulator's data in the same memory."""
    mock = mock_aws()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        mock.start(reset=False)
        for cache in CACHED_CLIENTS:
            cache.cache_clear()
        yield
        mock.stop(remove_data=False)
        for cache in CACHED_CLIENTS:
            cache.cache_clear()
