"""Fixtures for tests of the API: the API in this process, and its callers."""

from collections.abc import Iterator

import pytest

from local.emulator.clients import REGION
from local.emulator.server import Emulator
from tests.api.principals import ACCESS, make_role_identity
from tests.support.aws_fixtures import CACHED_CLIENTS, aws
from tests.support.in_process_api import InProcessApi, serve_api
from twofold.settings import Function

__all__ = ["aws"]


@pytest.fixture
def api_environment(emulator: Emulator) -> Iterator[None]:
    """The environment of the emulator's API function for this process, where tests can use several threads."""
    environment = {
        **emulator.functions.environments[Function.API],
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for cache in CACHED_CLIENTS:
            cache.cache_clear()
        yield
        for cache in CACHED_CLIENTS:
            cache.cache_clear()


@pytest.fixture
def api(aws: None) -> Iterator[InProcessApi]:
    """The API with the guard, for modules without their own fixture."""
    with serve_api(access=ACCESS) as api:
        yield api


@pytest.fixture
def alice(api: InProcessApi) -> InProcessApi:
    return api.for_caller(*make_role_identity("alice"))


@pytest.fixture
def bob(api: InProcessApi) -> InProcessApi:
    return api.for_caller(*make_role_identity("bob"))
