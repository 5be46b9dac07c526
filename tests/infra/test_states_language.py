"""Rules of the Amazon States Language that cfn-lint's schema does not cover."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.workflows import read_definition
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import Workflow

every_workflow = pytest.mark.parametrize("workflow", Workflow)
TERMINAL = ("Succeed", "Fail")
Machine = dict[str, Any]


def _walk_machines(machine: Machine) -> Iterator[Machine]:
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from _walk_machines(state["ItemProcessor"])


def _list_next_states(state: Machine) -> set[str]:
    rules = [*state.get("Catch", []), *state.get("Choices", []), state]
    following = {rule["Next"] for rule in rules if "Next" in rule}
    return following | ({state["Default"]} if "Default" in state else set())


def _walk_parameters(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _walk_parameters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk_parameters(inner)


@every_workflow
def test_every_state_is_reachable_and_every_transition_leads_to_a_state(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for machine in _walk_machines(template.parse_definition(workflow)):
        reached, open_ = set[str](), {machine["StartAt"]}
        while open_:
            reached |= open_
            open_ = {
                to for name in open_ for to in _list_next_states(machine["States"][name])
            } - reached
        assert reached == set(machine["States"])


@every_workflow
def test_every_path_ends(template: SynthesizedTemplate, workflow: Workflow) -> None:
    for machine in _walk_machines(template.parse_definition(workflow)):
        for name, state in machine["States"].items():
            ends = state["Type"] in TERMINAL or state.get("End") is True
            assert ends == (not _list_next_states(state)), name
            assert state["Type"] != "Choice" or "Default" in state, name


@every_workflow
def test_references_to_the_input_are_paths_and_other_values_are_not(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    for key, value in _walk_parameters(template.parse_definition(workflow)):
        if key.endswith(".$") or (key.endswith(("Path", "Variable")) and value is not None):
            assert value.startswith("$"), (key, value)
        elif isinstance(value, str) and key != "Resource":
            assert not value.startswith("$"), (key, value)


@every_workflow
def test_names_of_states_are_unique_and_short(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    names = [
        n
        for machine in _walk_machines(template.parse_definition(workflow))
        for n in machine["States"]
    ]
    assert len(names) == len(set(names))
    assert all(len(name) <= 80 for name in names)


@every_workflow
def test_every_placeholder_is_substituted(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    text = read_definition(workflow)
    for key in template.state_machines[workflow]["DefinitionSubstitutions"]:
        text = text.replace(f"${{{key}}}", "")
    assert "${" not in text
