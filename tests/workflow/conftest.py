"""Fixtures for tests of workflows without Step Functions."""

from collections.abc import Iterator

import pytest

from tests.support.aws_fixtures import aws
from tests.support.small_sizes import shrink_sizes
from tests.support.workflow_harness import WorkflowHarness

__all__ = ["aws"]


@pytest.fixture
def harness(aws: None) -> Iterator[WorkflowHarness]:
    harness = WorkflowHarness.create()
    yield harness
    harness.delete_all()


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ranges, shards and parts, for many of each with a small manifest."""
    shrink_sizes(monkeypatch)
