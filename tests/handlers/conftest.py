"""AWS in this process, for what is tested without HTTP. The running stack's own data, in the same memory, is left alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from local.clients import REGION
from local.stack import Stack
from tests.handlers.in_process import Api, serving
from tests.handlers.principals import ACCESS, role
from twofold.settings import Function
from twofold.stores import contents, events, executions, objects
from twofold.stores.table import connection

CACHED: tuple[Any, ...] = (
    objects._client,
    events._client,
    executions._client,
    connection._client,
    contents._header,
)


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


@pytest.fixture
def as_the_api(stack: Stack) -> Iterator[None]:
    """This process has the environment of the running stack's API function, and as many threads as it likes."""
    environment = {
        **stack.functions.environments[Function.API],
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for cache in CACHED:
            cache.cache_clear()
        yield
        for cache in CACHED:
            cache.cache_clear()


@pytest.fixture
def api(aws: None) -> Iterator[Api]:
    """The API behind the guard, for modules without one of their own."""
    with serving(access=ACCESS) as api:
        yield api


@pytest.fixture
def alice(api: Api) -> Api:
    return api.called_by(*role("alice"))


@pytest.fixture
def bob(api: Api) -> Api:
    return api.called_by(*role("bob"))
