"""Optional web ACL of the API: AWS's managed rule groups and a rate limit per IP address."""

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from twofold.settings import PRODUCT

MANAGED_RULE_GROUPS = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
)
"""AWSManagedRulesCommonRuleSet is left out: its limit of 8 KB per body blocks UpdateDatasetEntries."""


class Firewall(Construct):
    """`rate` is the number of requests per IP address in five minutes."""

    def __init__(
        self, scope: Construct, id: str, *, stage: str, rest_api: apigateway.RestApi, rate: int
    ) -> None:
        super().__init__(scope, id)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=f"{PRODUCT}-{stage}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_build_visibility_config(f"{PRODUCT}-{stage}"),
            rules=[
                _build_rate_rule(rate),
                *map(
                    _build_managed_rule, range(1, len(MANAGED_RULE_GROUPS) + 1), MANAGED_RULE_GROUPS
                ),
            ],
        )
        wafv2.CfnWebACLAssociation(
            self,
            "Association",
            resource_arn=Stack.of(self).format_arn(
                service="apigateway",
                account="",
                resource="/restapis",
                resource_name=f"{rest_api.rest_api_id}/stages/{rest_api.deployment_stage.stage_name}",
            ),
            web_acl_arn=acl.attr_arn,
        )


def _build_rate_rule(rate: int) -> wafv2.CfnWebACL.RuleProperty:
    limit = wafv2.CfnWebACL.RateBasedStatementProperty(limit=rate, aggregate_key_type="IP")
    return wafv2.CfnWebACL.RuleProperty(
        name="Rate",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=limit),
        visibility_config=_build_visibility_config("Rate"),
    )


def _build_managed_rule(priority: int, name: str) -> wafv2.CfnWebACL.RuleProperty:
    group = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(vendor_name="AWS", name=name)
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        visibility_config=_build_visibility_config(name),
    )


def _build_visibility_config(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Return a configuration with CloudWatch metrics and without samples, because samples store request headers."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
