"""AWS in this process, for what is tested without HTTP. The running stack's own data, in the same memory, is left alone."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from twofold.stores import contents, executions, objects
from twofold.stores.table import connection

CACHED = (objects._client, executions._client, connection._client, contents._header)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    mock = mock_aws()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        mock.start(reset=False)
        for cache in CACHED:
            cache.cache_clear()
        yield
        mock.stop(remove_data=False)
        for cache in CACHED:
            cache.cache_clear()
