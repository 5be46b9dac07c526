"""An upgrade: what is under way ends with the code that it began with, and what begins goes to the new one."""

import json

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized
from twofold.records import DatasetId, DatasetType, Operation, OperationKind
from twofold.settings import Function, Workflow, function_name
from twofold.stores.executions import Executions

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:twofold-prod-distribute"
OPERATION = Operation(
    id="0123",
    kind=OperationKind.DISTRIBUTE,
    datasets=(DatasetId(project="birds", type=DatasetType.TRAIN, created=1),),
    created=1,
)


@pytest.fixture(scope="module")
def changed(synthesize: Synthesize) -> Synthesized:
    """The next release: its code has another fingerprint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.bundling.fingerprint", lambda *_: "f" * 64)
        return synthesize()


@pytest.mark.parametrize(
    "kind", ["AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"]
)
def test_versions_outlive_the_deployment_that_replaces_them_unless_it_failed(
    template: Synthesized, kind: str
) -> None:
    """A version that a failed update leaves behind is in the way of the same release's next attempt."""
    versions = template.of_type(kind)
    assert len(versions) == (len(Function) if "Lambda" in kind else len(Workflow))
    for version in versions.values():
        assert version["DeletionPolicy"] == "RetainExceptOnCreate"
        assert version["UpdateReplacePolicy"] == "Retain"


def test_new_code_is_a_new_version_of_every_function(
    template: Synthesized, changed: Synthesized
) -> None:
    before, after = (set(t.of_type("AWS::Lambda::Version")) for t in (template, changed))
    assert not before & after
    assert set(template.of_type("AWS::Lambda::Function")) == set(
        changed.of_type("AWS::Lambda::Function")
    )


@pytest.mark.parametrize("workflow", Workflow)
def test_new_code_is_a_new_revision_of_every_state_machine(
    template: Synthesized, changed: Synthesized, workflow: Workflow
) -> None:
    """A definition names versions, so another version is another definition."""
    before, after = (
        json.dumps(t.machines[workflow]["DefinitionSubstitutions"]) for t in (template, changed)
    )
    assert before != after
    assert template.substituted(workflow) == changed.substituted(workflow)


def test_everything_from_outside_goes_through_an_alias_that_can_be_pointed_back(
    template: Synthesized,
) -> None:
    aliases = template.properties("AWS::Lambda::Alias")
    assert {alias["Name"] for alias in aliases.values()} == {"live", "live-retried"}
    doors = {template.function_behind({"Ref": name}) for name in aliases}
    outside = (Function.API, Function.SETTLE, Function.COLLECT)
    assert doors == {function_name("prod", function) for function in outside}
    machines = template.properties("AWS::StepFunctions::StateMachineAlias")
    assert {alias["Name"] for alias in machines.values()} == {"live"}
    for alias in machines.values():
        (route,) = alias["RoutingConfiguration"]
        assert route["Weight"] == 100


@pytest.mark.parametrize("qualifier", ["", ":live", ":7"])
def test_an_execution_is_found_whatever_alias_it_was_started_by(qualifier: str) -> None:
    expected = "arn:aws:states:us-east-1:123456789012:execution:twofold-prod-distribute:0123"
    machines = {Workflow.DISTRIBUTE: f"{MACHINE}{qualifier}"}
    assert Executions(machines).arn(OPERATION) == expected
