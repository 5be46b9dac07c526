"""CloudWatch log groups with the retention of the option `log_retention_days`."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.options import Options


def build_log_group(scope: Construct, id: str, *, name: str, options: Options) -> logs.LogGroup:
    group = logs.LogGroup(scope, id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = options.log_retention_days
    return group
