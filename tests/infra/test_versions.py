"""Upgrades: running executions end with the code with which they began; new executions use the new code."""

import json

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.records import DatasetId, DatasetType, Operation, OperationKind
from twofold.settings import Function, Workflow, make_function_name
from twofold.stores.executions import Executions

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:twofold-prod-distribute"
OPERATION = Operation(
    id="0123",
    kind=OperationKind.DISTRIBUTE,
    datasets=(DatasetId(project="birds", type=DatasetType.TRAIN, created=1),),
    created=1,
)


@pytest.fixture(scope="module")
def next_release(synthesize: Synthesize) -> SynthesizedTemplate:
    """The template of a release with another fingerprint of the code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.bundling.compute_fingerprint", lambda *_: "f" * 64)
        return synthesize()


@pytest.mark.parametrize(
    "kind", ["AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"]
)
def test_old_versions_are_retained_except_after_a_failed_deployment(
    template: SynthesizedTemplate, kind: str
) -> None:
    """A retained version of a failed update would block the next deployment of the same release."""
    versions = template.select_resources(kind)
    assert len(versions) == (len(Function) if "Lambda" in kind else len(Workflow))
    for version in versions.values():
        assert version["DeletionPolicy"] == "RetainExceptOnCreate"
        assert version["UpdateReplacePolicy"] == "Retain"


def test_new_code_is_a_new_version_of_every_function(
    template: SynthesizedTemplate, next_release: SynthesizedTemplate
) -> None:
    before, after = (
        set(t.select_resources("AWS::Lambda::Version")) for t in (template, next_release)
    )
    assert not before & after
    assert set(template.select_resources("AWS::Lambda::Function")) == set(
        next_release.select_resources("AWS::Lambda::Function")
    )


@pytest.mark.parametrize("workflow", Workflow)
def test_new_code_is_a_new_revision_of_every_state_machine(
    template: SynthesizedTemplate, next_release: SynthesizedTemplate, workflow: Workflow
) -> None:
    """A definition names versions, so a new version changes the definition."""
    before, after = (
        json.dumps(t.state_machines[workflow]["DefinitionSubstitutions"])
        for t in (template, next_release)
    )
    assert before != after
    assert template.resolve_substitutions(workflow) == next_release.resolve_substitutions(workflow)


def test_invocations_from_outside_use_aliases(
    template: SynthesizedTemplate,
) -> None:
    aliases = template.select_properties("AWS::Lambda::Alias")
    assert {alias["Name"] for alias in aliases.values()} == {"live", "live-retried"}
    functions = {template.find_function_of_alias({"Ref": name}) for name in aliases}
    outside = (Function.API, Function.SETTLE, Function.COLLECT)
    assert functions == {make_function_name("prod", function) for function in outside}
    machines = template.select_properties("AWS::StepFunctions::StateMachineAlias")
    assert {alias["Name"] for alias in machines.values()} == {"live"}
    for alias in machines.values():
        (route,) = alias["RoutingConfiguration"]
        assert route["Weight"] == 100


@pytest.mark.parametrize("qualifier", ["", ":live", ":7"])
def test_the_arn_of_an_execution_does_not_depend_on_the_alias(qualifier: str) -> None:
    expected = "arn:aws:states:us-east-1:123456789012:execution:twofold-prod-distribute:0123"
    machines = {Workflow.DISTRIBUTE: f"{MACHINE}{qualifier}"}
    assert Executions(machines).build_arn(OPERATION) == expected
