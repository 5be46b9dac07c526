from tests.support.aws_fixtures import aws

__all__ = ["aws"]
