"""Evaluate the resource policies of topic, queue and bucket for legitimate and for foreign requests."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.policy_evaluation import (
    ACCOUNT,
    REGION,
    DeployedTemplate,
    Request,
    is_allowed,
    is_denied,
)
from tests.infra.synthesized_template import SynthesizedTemplate

STRANGER = "999999999999"
OVER_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@pytest.fixture(scope="module", params=["aws", "aws-cn", "aws-us-gov"])
def deployed_template(
    template: SynthesizedTemplate, request: pytest.FixtureRequest
) -> DeployedTemplate:
    return DeployedTemplate(template, request.param)


def _get_policy(
    deployed_template: DeployedTemplate, kind: str, listed: str, target: str
) -> dict[str, Any]:
    (policy,) = [
        resolved["PolicyDocument"]
        for resolved in map(
            deployed_template.resolve, deployed_template.template.select_properties(kind).values()
        )
        if target in resolved[listed]
    ]
    document: dict[str, Any] = policy
    return document


def _list_publish_requests(
    deployed_template: DeployedTemplate,
) -> Iterator[tuple[dict[str, Any], Request]]:
    """Yield (policy of the topic, CloudWatch's request) for each action of each alarm."""
    for raw in deployed_template.template.select_properties("AWS::CloudWatch::Alarm").values():
        alarm = deployed_template.resolve(raw)
        source = f"arn:{deployed_template.partition}:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm['AlarmName']}"
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source, **OVER_TLS}
        lists = (alarm.get(name, []) for name in alarm if name.endswith("Actions"))
        for topic in {topic for listed in lists for topic in listed}:
            policy = _get_policy(deployed_template, "AWS::SNS::TopicPolicy", "Topics", topic)
            yield policy, Request("cloudwatch.amazonaws.com", "sns:Publish", topic, context)


def test_each_alarm_reaches_the_topic_that_it_names(deployed_template: DeployedTemplate) -> None:
    published = list(_list_publish_requests(deployed_template))
    assert len(published) == len(
        deployed_template.template.select_resources("AWS::CloudWatch::Alarm")
    )
    for policy, request in published:
        assert is_allowed(policy, request), request


@pytest.mark.parametrize(
    "context",
    [
        {"aws:SourceAccount": STRANGER},
        {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{STRANGER}:alarm:twofold-prod-x"},
        {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:another"},
        {"aws:SecureTransport": "false"},
    ],
)
def test_foreign_alarms_and_requests_without_tls_do_not_reach_the_topic(
    template: SynthesizedTemplate, context: dict[str, str]
) -> None:
    for policy, request in _list_publish_requests(DeployedTemplate(template)):
        assert not is_allowed(policy, replace(request, context={**request.context, **context}))


def test_every_policy_with_a_deny_also_allows_its_publisher(
    synthesize: Synthesize,
) -> None:
    """A policy replaces the default policy, so a policy with only a Deny refuses every request."""
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        for name, policy in full.select_properties(kind).items():
            effects = {s["Effect"] for s in policy["PolicyDocument"]["Statement"]}
            assert effects == {"Allow", "Deny"}, name


def test_the_roles_of_the_account_reach_the_bucket_only_over_tls(
    deployed_template: DeployedTemplate,
) -> None:
    """Roles of the account need no Allow in the bucket policy, because their own policies allow the access."""
    (name,) = deployed_template.template.select_resources("AWS::S3::Bucket")
    policy = _get_policy(deployed_template, "AWS::S3::BucketPolicy", "Bucket", name)
    role = next(iter(deployed_template.template.select_resources("AWS::IAM::Role")))
    for key in ("", "/contents/a"):
        request = Request(
            deployed_template.build_arn(role),
            "s3:GetObject",
            deployed_template.build_arn(name) + key,
            OVER_TLS,
        )
        assert not is_denied(policy, request)
        for broken in ({"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}):
            assert is_denied(policy, replace(request, context={**OVER_TLS, **broken}))


def test_the_template_has_no_other_resource_policies(synthesize: Synthesize) -> None:
    """Key policies belong to the owner of the key; API Gateway and Step Functions write the policies of log groups."""
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    kinds = {resource["Type"] for resource in full.body["Resources"].values()}
    policies = {kind for kind in kinds if kind.endswith("Policy")}
    ours = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    assert policies - ours <= {
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
