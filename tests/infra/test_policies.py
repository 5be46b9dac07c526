"""The managed policies beside the synthesized API: what each lets its holder call, and that nothing else is left open."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesized import Synthesized, spelt
from twofold.settings import Operation

READING = {
    Operation.DESCRIBE_PROJECTS,
    Operation.DESCRIBE_DATASET,
    Operation.LIST_DATASET_ENTRIES,
    Operation.LIST_DATASET_LABELS,
    Operation.LIST_TAGS_FOR_RESOURCE,
}
NAMES = ["ReadOnly", "Editor", *Operation]


def _arns(template: Synthesized) -> dict[str, str]:
    """The ARN of each method that the API has, by its path, as IAM spells it."""
    (rest,) = template.of_type("AWS::ApiGateway::RestApi")
    resources = template.properties("AWS::ApiGateway::Resource")
    arns = {}
    for method in template.properties("AWS::ApiGateway::Method").values():
        name = method["ResourceId"].get("Ref")
        path = resources[name]["PathPart"] if name else ""
        arns[path] = (
            "arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:"
            f"<{rest}>/prod/{method['HttpMethod']}/{path}"
        )
    return arns


def _statements(template: Synthesized, name: str) -> list[Any]:
    policy = template.managed_policies[name]
    assert not {"Users", "Groups", "Roles"} & set(policy)
    statements: list[Any] = policy["PolicyDocument"]["Statement"]
    return statements


def _callable(template: Synthesized, name: str) -> set[str]:
    """The paths that the holder of a policy may call."""
    patterns = [
        spelt(resource)
        for statement in _statements(template, name)
        if statement["Action"] == "execute-api:Invoke"
        for resource in _listed(statement["Resource"])
    ]
    arns = _arns(template).items()
    return {path for path, arn in arns if any(fnmatchcase(arn, one) for one in patterns)}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_reader_may_call_what_changes_nothing(template: Synthesized) -> None:
    reading = _callable(template, "ReadOnly")
    assert reading >= READING
    assert not [one for one in reading if not one.startswith(("Describe", "List"))]
    assert reading == {one for one in Operation if not one.changes}


def test_an_editor_may_call_every_operation_by_either_way_and_bring_manifests(
    template: Synthesized,
) -> None:
    assert _callable(template, "Editor") == set(_arns(template))
    (bucket,) = template.of_type("AWS::S3::Bucket")
    other = [
        one for one in _statements(template, "Editor") if one["Action"] != "execute-api:Invoke"
    ]
    assert [(one["Action"], spelt(one["Resource"])) for one in other] == [
        ("s3:PutObject", f"<{bucket}.Arn>/sources/*")
    ]


@pytest.mark.parametrize("operation", Operation)
def test_a_policy_for_one_operation_lets_in_that_one(
    template: Synthesized, operation: Operation
) -> None:
    assert _callable(template, operation) == {operation.value}


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_has_a_wildcard_where_a_path_is_known(template: Synthesized, name: str) -> None:
    for statement in _statements(template, name):
        assert statement["Effect"] == "Allow"
        for resource in _listed(statement["Resource"]):
            assert "*" not in spelt(resource).removesuffix("/sources/*")


def test_there_is_no_web_acl_unless_asked_for(template: Synthesized) -> None:
    assert not template.of_type("AWS::WAFv2::WebACL")


def test_a_web_acl_limits_each_address_and_stands_before_the_stage(
    synthesize: Callable[..., Synthesized],
) -> None:
    walled = synthesize(checked=True, waf_rate=500)
    acl = walled.only("AWS::WAFv2::WebACL")["Properties"]
    (rate,) = [one for one in acl["Rules"] if "RateBasedStatement" in one["Statement"]]
    assert rate["Action"] == {"Block": {}}
    assert rate["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": 500}
    groups = [one for one in acl["Rules"] if one is not rate]
    for group in groups:
        assert group["Statement"]["ManagedRuleGroupStatement"]["VendorName"] == "AWS"
        assert group["OverrideAction"] == {"None": {}}
    assert len({one["Priority"] for one in acl["Rules"]}) == len(acl["Rules"]) == 3
    for rule in (*acl["Rules"], acl):
        assert rule["VisibilityConfig"]["SampledRequestsEnabled"] is False
    (name,) = walled.of_type("AWS::WAFv2::WebACL")
    (rest,) = walled.of_type("AWS::ApiGateway::RestApi")
    (stage,) = walled.of_type("AWS::ApiGateway::Stage")
    association = walled.only("AWS::WAFv2::WebACLAssociation")["Properties"]
    assert spelt(association["WebACLArn"]) == f"<{name}.Arn>"
    assert spelt(association["ResourceArn"]) == (
        f"arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<{rest}>/stages/<{stage}>"
    )


def test_the_policies_that_the_docs_name_are_those_of_the_template(template: Synthesized) -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    assert "`twofold-<stage>-<region>-ReadOnly`, `-Editor` and one for each operation" in page
    assert set(template.managed_policies) == set(NAMES)
