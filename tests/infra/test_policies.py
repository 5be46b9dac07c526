"""Managed policies and web ACL: the paths of the API that each policy allows, and the rules of the web ACL."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold.settings import ApiOperation

READING = {
    ApiOperation.DESCRIBE_PROJECTS,
    ApiOperation.DESCRIBE_DATASET,
    ApiOperation.LIST_DATASET_ENTRIES,
    ApiOperation.LIST_DATASET_LABELS,
    ApiOperation.LIST_TAGS_FOR_RESOURCE,
}
NAMES = ["ReadOnly", "Editor", *ApiOperation]


def _build_method_arns(template: SynthesizedTemplate) -> dict[str, str]:
    """Return the execute-api ARN of each method, by path."""
    (rest_api,) = template.select_resources("AWS::ApiGateway::RestApi")
    resources = template.select_properties("AWS::ApiGateway::Resource")
    arns = {}
    for method in template.select_properties("AWS::ApiGateway::Method").values():
        name = method["ResourceId"].get("Ref")
        path = resources[name]["PathPart"] if name else ""
        arns[path] = (
            "arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:"
            f"<{rest_api}>/prod/{method['HttpMethod']}/{path}"
        )
    return arns


def _list_statements(template: SynthesizedTemplate, name: str) -> list[Any]:
    policy = template.managed_policies[name]
    assert not {"Users", "Groups", "Roles"} & set(policy)
    statements: list[Any] = policy["PolicyDocument"]["Statement"]
    return statements


def _find_callable_paths(template: SynthesizedTemplate, name: str) -> set[str]:
    """Return the paths that a policy allows."""
    patterns = [
        render_value(resource)
        for statement in _list_statements(template, name)
        if statement["Action"] == "execute-api:Invoke"
        for resource in _to_list(statement["Resource"])
    ]
    arns = _build_method_arns(template).items()
    return {path for path, arn in arns if any(fnmatchcase(arn, pattern) for pattern in patterns)}


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_reader_may_call_the_operations_that_change_nothing(
    template: SynthesizedTemplate,
) -> None:
    reading = _find_callable_paths(template, "ReadOnly")
    assert reading >= READING
    assert not [path for path in reading if not path.startswith(("Describe", "List"))]
    assert reading == {operation for operation in ApiOperation if not operation.is_mutation}


def test_an_editor_may_call_every_operation_by_both_paths_and_upload_manifests(
    template: SynthesizedTemplate,
) -> None:
    assert _find_callable_paths(template, "Editor") == set(_build_method_arns(template))
    (bucket,) = template.select_resources("AWS::S3::Bucket")
    other = [
        one for one in _list_statements(template, "Editor") if one["Action"] != "execute-api:Invoke"
    ]
    assert [(statement["Action"], render_value(statement["Resource"])) for statement in other] == [
        ("s3:PutObject", f"<{bucket}.Arn>/sources/*")
    ]


@pytest.mark.parametrize("operation", ApiOperation)
def test_a_policy_for_one_operation_allows_only_this_operation(
    template: SynthesizedTemplate, operation: ApiOperation
) -> None:
    assert _find_callable_paths(template, operation) == {operation.value}


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_has_a_wildcard_where_a_path_is_known(
    template: SynthesizedTemplate, name: str
) -> None:
    for statement in _list_statements(template, name):
        assert statement["Effect"] == "Allow"
        for resource in _to_list(statement["Resource"]):
            assert "*" not in render_value(resource).removesuffix("/sources/*")


def test_there_is_no_web_acl_by_default(template: SynthesizedTemplate) -> None:
    assert not template.select_resources("AWS::WAFv2::WebACL")


def test_a_web_acl_limits_each_address_and_is_associated_with_the_stage(
    synthesize: Callable[..., SynthesizedTemplate],
) -> None:
    with_acl = synthesize(with_checks=True, waf_rate=500)
    acl = with_acl.get_only_resource("AWS::WAFv2::WebACL")["Properties"]
    (rate,) = [rule for rule in acl["Rules"] if "RateBasedStatement" in rule["Statement"]]
    assert rate["Action"] == {"Block": {}}
    assert rate["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": 500}
    groups = [rule for rule in acl["Rules"] if rule is not rate]
    for group in groups:
        assert group["Statement"]["ManagedRuleGroupStatement"]["VendorName"] == "AWS"
        assert group["OverrideAction"] == {"None": {}}
    assert len({rule["Priority"] for rule in acl["Rules"]}) == len(acl["Rules"]) == 3
    for rule in (*acl["Rules"], acl):
        assert rule["VisibilityConfig"]["SampledRequestsEnabled"] is False
    (name,) = with_acl.select_resources("AWS::WAFv2::WebACL")
    (rest,) = with_acl.select_resources("AWS::ApiGateway::RestApi")
    (stage,) = with_acl.select_resources("AWS::ApiGateway::Stage")
    association = with_acl.get_only_resource("AWS::WAFv2::WebACLAssociation")["Properties"]
    assert render_value(association["WebACLArn"]) == f"<{name}.Arn>"
    assert render_value(association["ResourceArn"]) == (
        f"arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<{rest}>/stages/<{stage}>"
    )


def test_the_policies_that_the_docs_name_are_those_of_the_template(
    template: SynthesizedTemplate,
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    assert "`twofold-<stage>-<region>-ReadOnly`, `-Editor` and one for each operation" in page
    assert set(template.managed_policies) == set(NAMES)
