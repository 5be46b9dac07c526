"""The options `guard`, `administrators` and `caller_rate` and their effect on the template."""

from typing import Any

import pytest

from infra.options import OptionError
from tests.infra.conftest import Synthesize, parse_options
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold.access import AccessVariable, Guard
from twofold.settings import VARIABLES, Function

ADMINISTRATORS = "arn:aws:iam::123456789012:role/path/a,arn:aws:iam::123456789012:user/b"


@pytest.fixture(scope="module")
def guarded_template(synthesize: Synthesize) -> SynthesizedTemplate:
    return synthesize(
        with_checks=True, guard="owner", administrators=ADMINISTRATORS, caller_rate=20
    )


def _select_variables(template: SynthesizedTemplate, function: Function) -> dict[str, Any]:
    environment: dict[str, Any] = template.functions[function]["Environment"]["Variables"]
    return {name: value for name, value in environment.items() if name.startswith("TWOFOLD_")}


def _list_editor_permissions(template: SynthesizedTemplate) -> list[tuple[str, str]]:
    policy = template.managed_policies["Editor"]["PolicyDocument"]
    assert policy["Version"] == "2012-10-17", "older versions have no policy variables"
    return [
        (statement["Action"], render_value(statement["Resource"]))
        for statement in policy["Statement"]
        if statement["Action"] != "execute-api:Invoke"
    ]


def test_without_the_options_the_api_has_no_variables_for_them(
    template: SynthesizedTemplate,
) -> None:
    assert set(_select_variables(template, Function.API)) == {*VARIABLES[Function.API]}


def test_only_the_api_gets_the_variables(guarded_template: SynthesizedTemplate) -> None:
    expected = {
        AccessVariable.GUARD: "owner",
        AccessVariable.ADMINISTRATORS: ADMINISTRATORS,
        AccessVariable.CALLER_RATE: "20",
    }
    variables = _select_variables(guarded_template, Function.API)
    assert {name: variables.pop(name) for name in expected} == expected
    assert set(variables) == {*VARIABLES[Function.API]}
    for function in set(Function) - {Function.API}:
        assert not set(_select_variables(guarded_template, function)) & {*AccessVariable}


def test_the_guard_adds_no_permission_and_the_rate_adds_one_partition(
    template: SynthesizedTemplate, synthesize: Synthesize, guarded_template: SynthesizedTemplate
) -> None:
    owner = synthesize(guard="owner", administrators=ADMINISTRATORS)
    for function in Function:
        permissions = _list_permissions(template, function)
        assert _list_permissions(owner, function) == permissions
        if function is not Function.API:
            assert _list_permissions(guarded_template, function) == permissions
    before, after = (
        template.find_partitions(Function.API),
        guarded_template.find_partitions(Function.API),
    )
    assert after.pop("dynamodb:UpdateItem") == before.pop("dynamodb:UpdateItem") | {"calls"}
    assert after == before


def _list_permissions(template: SynthesizedTemplate, function: Function) -> list[str]:
    return sorted(map(str, template.list_statements(template.functions[function]["Role"])))


def test_with_the_guard_an_editor_uploads_manifests_only_to_the_own_folder(
    template: SynthesizedTemplate, guarded_template: SynthesizedTemplate
) -> None:
    (bucket,) = guarded_template.select_resources("AWS::S3::Bucket")
    assert _list_editor_permissions(template) == [("s3:PutObject", f"<{bucket}.Arn>/sources/*")]
    assert _list_editor_permissions(guarded_template) == [
        ("s3:PutObject", f"<{bucket}.Arn>/sources/${{aws:userid}}/*")
    ]
    for name in {*template.managed_policies} - {"Editor"}:
        assert guarded_template.managed_policies[name] == template.managed_policies[name], name


def test_the_smoke_test_of_a_guarded_stage_uses_no_bucket(
    template: SynthesizedTemplate, guarded_template: SynthesizedTemplate
) -> None:
    assert "BUCKET=" in render_value(template.body["Outputs"]["Smoke"]["Value"])
    assert "BUCKET=" not in render_value(guarded_template.body["Outputs"]["Smoke"]["Value"])


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
def test_an_invalid_option_is_named(argument: str, message: str) -> None:
    with pytest.raises(OptionError) as refused:
        parse_options([argument])
    assert message in str(refused.value)


def test_by_default_access_is_not_restricted() -> None:
    options = parse_options([])
    assert (options.guard, options.administrators, options.caller_rate) == (Guard.NONE, (), 0)
    assert options.access.to_environment() == {}
