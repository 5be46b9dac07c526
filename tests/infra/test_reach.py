"""Who must reach a topic, a queue or a bucket does so past its policy, and a stranger does not: policies are evaluated."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.evaluation import ACCOUNT, REGION, Request, Resolved, allows, denies
from tests.infra.synthesized import Synthesized

STRANGER = "999999999999"
OVER_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@pytest.fixture(scope="module", params=["aws", "aws-cn", "aws-us-gov"])
def deployed(template: Synthesized, request: pytest.FixtureRequest) -> Resolved:
    return Resolved(template, request.param)


def _policy_of(deployed: Resolved, kind: str, listed: str, target: str) -> dict[str, Any]:
    (policy,) = [
        resolved["PolicyDocument"]
        for resolved in map(deployed.value, deployed.template.properties(kind).values())
        if target in resolved[listed]
    ]
    document: dict[str, Any] = policy
    return document


def _published(deployed: Resolved) -> Iterator[tuple[dict[str, Any], Request]]:
    """(policy of the topic, what CloudWatch asks) for each action of each alarm."""
    for raw in deployed.template.properties("AWS::CloudWatch::Alarm").values():
        alarm = deployed.value(raw)
        source = (
            f"arn:{deployed.partition}:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm['AlarmName']}"
        )
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source, **OVER_TLS}
        lists = (alarm.get(name, []) for name in alarm if name.endswith("Actions"))
        for topic in {topic for listed in lists for topic in listed}:
            policy = _policy_of(deployed, "AWS::SNS::TopicPolicy", "Topics", topic)
            yield policy, Request("cloudwatch.amazonaws.com", "sns:Publish", topic, context)


def test_each_alarm_reaches_the_topic_that_it_names(deployed: Resolved) -> None:
    published = list(_published(deployed))
    assert len(published) == len(deployed.template.of_type("AWS::CloudWatch::Alarm"))
    for policy, request in published:
        assert allows(policy, request), request


@pytest.mark.parametrize(
    "context",
    [
        {"aws:SourceAccount": STRANGER},
        {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{STRANGER}:alarm:twofold-prod-x"},
        {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:another"},
        {"aws:SecureTransport": "false"},
    ],
)
def test_no_other_alarm_reaches_the_topic_and_none_without_tls(
    template: Synthesized, context: dict[str, str]
) -> None:
    for policy, request in _published(Resolved(template)):
        assert not allows(policy, replace(request, context={**request.context, **context}))


def test_every_topic_whose_policy_denies_something_lets_in_who_publishes_to_it(
    synthesize: Synthesize,
) -> None:
    """A policy replaces the default one, so a lone Deny shuts everybody out."""
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        for name, policy in full.properties(kind).items():
            effects = {one["Effect"] for one in policy["PolicyDocument"]["Statement"]}
            assert effects == {"Allow", "Deny"}, name


def test_the_roles_of_the_account_reach_the_bucket_over_tls_alone(deployed: Resolved) -> None:
    """The account's own roles need no Allow here: their own policies give it."""
    (name,) = deployed.template.of_type("AWS::S3::Bucket")
    policy = _policy_of(deployed, "AWS::S3::BucketPolicy", "Bucket", name)
    role = next(iter(deployed.template.of_type("AWS::IAM::Role")))
    for key in ("", "/contents/a"):
        request = Request(deployed.arn(role), "s3:GetObject", deployed.arn(name) + key, OVER_TLS)
        assert not denies(policy, request)
        for broken in ({"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}):
            assert denies(policy, replace(request, context={**OVER_TLS, **broken}))


def test_every_resource_policy_of_the_template_is_one_of_these(synthesize: Synthesize) -> None:
    """A key's policy is its owner's; the log groups' are written by API Gateway and Step Functions, whose roles may."""
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    kinds = {resource["Type"] for resource in full.body["Resources"].values()}
    policies = {kind for kind in kinds if kind.endswith("Policy")}
    ours = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    assert policies - ours <= {
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
