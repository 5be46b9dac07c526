"""Fixtures for tests of stores."""

from tests.support.aws_fixtures import aws
from tests.workflow.conftest import harness, small_sizes

__all__ = ["aws", "harness", "small_sizes"]
