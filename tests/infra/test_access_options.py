"""`guard`, `administrators` and `caller_rate`: what they change in the template, and that nothing changes without them."""

from typing import Any

import pytest

from infra.options import OptionError, options_of
from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized, spelt
from twofold.access import AccessVariable, Guard
from twofold.settings import VARIABLES, Function

ADMINISTRATORS = "arn:aws:iam::123456789012:role/path/a,arn:aws:iam::123456789012:user/b"


@pytest.fixture(scope="module")
def guarded(synthesize: Synthesize) -> Synthesized:
    return synthesize(checked=True, guard="owner", administrators=ADMINISTRATORS, caller_rate=20)


def _variables(template: Synthesized, function: Function) -> dict[str, Any]:
    environment: dict[str, Any] = template.functions[function]["Environment"]["Variables"]
    return {name: value for name, value in environment.items() if name.startswith("TWOFOLD_")}


def _editor(template: Synthesized) -> list[tuple[str, str]]:
    policy = template.managed_policies["Editor"]["PolicyDocument"]
    assert policy["Version"] == "2012-10-17", "an older version has no variables"
    return [
        (statement["Action"], spelt(statement["Resource"]))
        for statement in policy["Statement"]
        if statement["Action"] != "execute-api:Invoke"
    ]


def test_without_the_options_the_api_is_told_nothing_of_them(template: Synthesized) -> None:
    assert set(_variables(template, Function.API)) == {*VARIABLES[Function.API]}


def test_the_api_alone_is_told(guarded: Synthesized) -> None:
    expected = {
        AccessVariable.GUARD: "owner",
        AccessVariable.ADMINISTRATORS: ADMINISTRATORS,
        AccessVariable.CALLER_RATE: "20",
    }
    variables = _variables(guarded, Function.API)
    assert {name: variables.pop(name) for name in expected} == expected
    assert set(variables) == {*VARIABLES[Function.API]}
    for function in set(Function) - {Function.API}:
        assert not set(_variables(guarded, function)) & {*AccessVariable}


def test_the_guard_gives_no_role_a_right_and_the_rate_one_partition(
    template: Synthesized, synthesize: Synthesize, guarded: Synthesized
) -> None:
    owner = synthesize(guard="owner", administrators=ADMINISTRATORS)
    for function in Function:
        rights = _rights(template, function)
        assert _rights(owner, function) == rights
        if function is not Function.API:
            assert _rights(guarded, function) == rights
    before, after = template.partitions(Function.API), guarded.partitions(Function.API)
    assert after.pop("dynamodb:UpdateItem") == before.pop("dynamodb:UpdateItem") | {"calls"}
    assert after == before


def _rights(template: Synthesized, function: Function) -> list[str]:
    return sorted(map(str, template.allowed(template.functions[function]["Role"])))


def test_behind_the_guard_an_editor_brings_manifests_to_the_own_folder_alone(
    template: Synthesized, guarded: Synthesized
) -> None:
    (bucket,) = guarded.of_type("AWS::S3::Bucket")
    assert _editor(template) == [("s3:PutObject", f"<{bucket}.Arn>/sources/*")]
    assert _editor(guarded) == [("s3:PutObject", f"<{bucket}.Arn>/sources/${{aws:userid}}/*")]
    for name in {*template.managed_policies} - {"Editor"}:
        assert guarded.managed_policies[name] == template.managed_policies[name], name


def test_the_smoke_test_of_a_guarded_stage_sends_its_entries(
    template: Synthesized, guarded: Synthesized
) -> None:
    assert "BUCKET=" in spelt(template.body["Outputs"]["Smoke"]["Value"])
    assert "BUCKET=" not in spelt(guarded.body["Outputs"]["Smoke"]["Value"])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("guard=all", "guard='all': choose one of none, owner"),
        ("administrators=me", "administrators: 'me' is not the ARN of a role or user"),
        ("administrators=arn:aws:iam::123456789012:root", "is not the ARN of a role or user"),
        ("administrators=arn:aws:iam::123456789012:role/*", "is not the ARN of a role or user"),
        ("administrators=" + ",".join([ADMINISTRATORS] * 6), "give up to 10, not 12"),
        ("caller_rate=-1", "caller_rate='-1': use a whole number from 0 on"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(argument: str, message: str) -> None:
    with pytest.raises(OptionError) as refused:
        options_of([argument])
    assert message in str(refused.value)


def test_the_defaults_are_those_of_a_stage_without_them() -> None:
    options = options_of([])
    assert (options.guard, options.administrators, options.caller_rate) == (Guard.NONE, (), 0)
    assert options.access.environment() == {}
