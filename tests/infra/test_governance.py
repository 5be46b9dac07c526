"""What an organization asks of a stack: tags for its bills, and an end for everything that would grow without one."""

import re
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def _can_be_tagged(kind: str) -> bool:
    """As the schema of the resource says, which ships with cfn-lint."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return "Tags" in schema["properties"]


def test_everything_that_can_be_tagged_has_the_stage_as_a_tag(synthesize: Synthesize) -> None:
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    kinds = {resource["Type"] for resource in full.body["Resources"].values()}
    tagged = {kind for kind in kinds if _can_be_tagged(kind)}
    assert {"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::WAFv2::WebACL"} <= tagged
    for kind in tagged:
        for name, properties in full.properties(kind).items():
            tags = properties.get("Tags", [])
            assert {"Key": "twofold:stage", "Value": "prod"} in tags, (kind, name)
    assert "Everything that can have a tag has `twofold:stage`" in OPERATIONS


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
