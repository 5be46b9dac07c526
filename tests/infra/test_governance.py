"""Requirements of organizations: tags for cost allocation, and retentions for everything that grows."""

import re
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def _is_taggable(resource_type: str) -> bool:
    """Return whether cfn-lint's schema of a resource type has tags."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return "Tags" in schema["properties"]


def test_everything_that_can_be_tagged_has_the_stage_as_a_tag(synthesize: Synthesize) -> None:
    full = synthesize(waf_rate=500, alarm_email="someone@example.com")
    kinds = {resource["Type"] for resource in full.body["Resources"].values()}
    tagged = {kind for kind in kinds if _is_taggable(kind)}
    assert {"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::WAFv2::WebACL"} <= tagged
    for kind in tagged:
        for name, properties in full.select_properties(kind).items():
            tags = properties.get("Tags", [])
            assert {"Key": "twofold:stage", "Value": "prod"} in tags, (kind, name)
    assert "Every resource that supports tags has the tag `twofold:stage`" in OPERATIONS


def _read_documented_days(row: str) -> int:
    """Return the days of a row in the documentation's table of retentions."""
    match = re.search(rf"^\| {row} \| (\d+) days", OPERATIONS, re.M)
    assert match, row
    return int(match[1])


def _list_lifecycle_rules(template: SynthesizedTemplate) -> dict[str, Any]:
    bucket = template.get_only_resource("AWS::S3::Bucket")["Properties"]
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}


def test_retentions_are_those_of_the_docs(template: SynthesizedTemplate) -> None:
    rules = _list_lifecycle_rules(template)
    assert _read_documented_days("scratch of workflows") == rules["scratch"]["ExpirationInDays"]
    aborted = rules["uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    assert _read_documented_days("uploads that were never completed") == aborted
    collectors = [
        properties["Environment"]["Variables"].get("TWOFOLD_RETENTION_DAYS")
        for properties in template.functions.values()
    ]
    assert str(_read_documented_days("contents that no dataset points to")) in collectors
    groups = template.select_properties("AWS::Logs::LogGroup").values()
    assert {group["RetentionInDays"] for group in groups} == {_read_documented_days("logs")}


def test_contents_and_reports_never_expire_by_a_rule(template: SynthesizedTemplate) -> None:
    for rule in _list_lifecycle_rules(template).values():
        if "ExpirationInDays" in rule:
            assert rule["Prefix"] == "scratch/"


def test_no_sdk_of_x_ray_ships() -> None:
    """AWS supports the SDK until February 2027; Lambda and Step Functions send traces without an SDK."""
    pins = (Path(__file__).parents[2] / "lambdas" / "requirements.txt").read_text().lower()
    sources = "".join(f.read_text() for f in (Path(__file__).parents[2] / "lambdas").rglob("*.py"))
    assert "xray" not in pins
    assert not re.search(r"aws_xray_sdk|Tracer\b", sources)
