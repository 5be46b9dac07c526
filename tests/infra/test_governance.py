"""What an organization asks of a stack: tags for its bills, and an end for everything that would grow without one."""

import re
from pathlib import Path
from typing import Any

from tests.infra.synthesized import Synthesized

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
TAGGED = (
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
)
"""Whatever costs or holds something. Its rules, metrics and versions are counted with them."""


def test_everything_that_costs_has_the_stage_as_a_tag(template: Synthesized) -> None:
    for kind in TAGGED:
        found = template.properties(kind)
        assert found, kind
        for name, properties in found.items():
            assert {"Key": "twofold:stage", "Value": "prod"} in properties.get("Tags", []), name
    assert "`twofold:stage`" in OPERATIONS


def _said(row: str) -> int:
    """The days that the table of retentions in the docs has for something."""
    found = re.search(rf"^\| {row} \| (\d+) days", OPERATIONS, re.M)
    assert found, row
    return int(found[1])


def _rules(template: Synthesized) -> dict[str, Any]:
    bucket = template.only("AWS::S3::Bucket")["Properties"]
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}


def test_retentions_are_those_of_the_docs(template: Synthesized) -> None:
    rules = _rules(template)
    assert _said("scratch of workflows") == rules["scratch"]["ExpirationInDays"]
    aborted = rules["uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    assert _said("uploads that were never completed") == aborted
    collectors = [
        properties["Environment"]["Variables"].get("TWOFOLD_RETENTION_DAYS")
        for properties in template.functions.values()
    ]
    assert str(_said("contents that no dataset points to")) in collectors
    groups = template.properties("AWS::Logs::LogGroup").values()
    assert {group["RetentionInDays"] for group in groups} == {_said("logs")}


def test_contents_and_reports_never_expire_by_a_rule(template: Synthesized) -> None:
    for rule in _rules(template).values():
        if "ExpirationInDays" in rule:
            assert rule["Prefix"] == "scratch/"


def test_no_sdk_of_x_ray_ships() -> None:
    """Its support ends in February 2027; the resources trace by themselves."""
    pins = (Path(__file__).parents[2] / "lambdas" / "requirements.txt").read_text().lower()
    sources = "".join(f.read_text() for f in (Path(__file__).parents[2] / "lambdas").rglob("*.py"))
    assert "xray" not in pins
    assert not re.search(r"aws_xray_sdk|Tracer\b", sources)
