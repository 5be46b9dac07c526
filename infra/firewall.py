"""A web ACL in front of the API, if the deployment asks for one: AWS's managed rules, and a limit for each address."""

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from twofold.settings import PRODUCT

MANAGED = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
)
"""Rule groups that look at where a request comes from and at known attacks. The core rule set is not among them: it refuses
bodies above 8 KB, which a list of changes has."""


class Firewall(Construct):
    """`rate` is the number of requests that one address may send in five minutes."""

    def __init__(
        self, scope: Construct, id: str, *, stage: str, rest: apigateway.RestApi, rate: int
    ) -> None:
        super().__init__(scope, id)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=f"{PRODUCT}-{stage}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(f"{PRODUCT}-{stage}"),
            rules=[_rate_rule(rate), *map(_managed_rule, range(1, len(MANAGED) + 1), MANAGED)],
        )
        wafv2.CfnWebACLAssociation(
            self,
            "Association",
            resource_arn=Stack.of(self).format_arn(
                service="apigateway",
                account="",
                resource="/restapis",
                resource_name=f"{rest.rest_api_id}/stages/{rest.deployment_stage.stage_name}",
            ),
            web_acl_arn=acl.attr_arn,
        )


def _rate_rule(rate: int) -> wafv2.CfnWebACL.RuleProperty:
    limit = wafv2.CfnWebACL.RateBasedStatementProperty(limit=rate, aggregate_key_type="IP")
    return wafv2.CfnWebACL.RuleProperty(
        name="Rate",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=limit),
        visibility_config=_visible("Rate"),
    )


def _managed_rule(priority: int, name: str) -> wafv2.CfnWebACL.RuleProperty:
    group = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(vendor_name="AWS", name=name)
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        visibility_config=_visible(name),
    )


def _visible(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Counts for CloudWatch, and no samples: they would keep headers of requests."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
