"""Quotas of AWS compared with the template: sizes of the template, definitions, policies and environments."""

import json

import pytest

from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import Function, Workflow

TEMPLATE_BYTES = 1_000_000
RESOURCES = 500
OUTPUTS = 200
DEFINITION_BYTES = 1_048_576
INLINE_POLICY_CHARACTERS = 10_240
ENVIRONMENT_BYTES = 4096
GATEWAY_RESOURCES = 300


def test_the_template_is_within_cloudformations_limits(template: SynthesizedTemplate) -> None:
    assert len(json.dumps(template.body)) < TEMPLATE_BYTES / 2
    assert len(template.body["Resources"]) < RESOURCES / 2
    assert len(template.body["Outputs"]) < OUTPUTS
    assert len(template.select_resources("AWS::ApiGateway::Resource")) < GATEWAY_RESOURCES


@pytest.mark.parametrize("workflow", Workflow)
def test_definitions_are_within_the_limit_of_step_functions(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    assert len(template.state_machines[workflow]["DefinitionString"]) < DEFINITION_BYTES / 10


def test_the_policies_of_a_role_are_within_the_limit_of_iam(template: SynthesizedTemplate) -> None:
    sizes: dict[str, int] = {}
    for policy in template.select_properties("AWS::IAM::Policy").values():
        (role,) = (role["Ref"] for role in policy["Roles"])
        text = json.dumps(policy["PolicyDocument"], separators=(",", ":"))
        sizes[role] = sizes.get(role, 0) + len(text)
    assert max(sizes.values()) < INLINE_POLICY_CHARACTERS, sizes


@pytest.mark.parametrize("function", Function)
def test_variables_are_within_the_limit_of_lambda(
    template: SynthesizedTemplate, function: Function
) -> None:
    variables = template.functions[function]["Environment"]["Variables"]
    assert len(json.dumps(variables)) < ENVIRONMENT_BYTES / 2
