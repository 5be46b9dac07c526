"""AWS in this process: moto beside whatever else uses it, so that neither loses what it holds."""

from collections.abc import Iterator
from functools import partial

import moto.s3.models
import pytest
from moto import mock_aws

from tests.workflow.world import World
from twofold.manifest import shards
from twofold.stores import executions, objects
from twofold.stores.table import connection
from twofold.workflow import carving, ingest

_CACHED = (executions._client, objects._client, connection._client)


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
    """S3's sizes and ours by ten thousands smaller: some kilobytes make many ranges, shards, parts and joins."""
    minimum = 600
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", minimum)
    monkeypatch.setattr(shards, "MIN_PART_BYTES", minimum)
    monkeypatch.setattr(shards, "PART_BYTES", 1_000)
    monkeypatch.setattr(shards, "MAX_SHARD_BYTES", 3_000)
    monkeypatch.setattr(carving, "cut", partial(shards.cut, shard_bytes=2_500))
    monkeypatch.setattr(ingest, "RANGE_BYTES", 1_500)
    monkeypatch.setattr(objects, "CHUNK_BYTES", 700)
    monkeypatch.setattr(objects, "OVERRUN_BYTES", 90)
