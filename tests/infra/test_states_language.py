"""The state machines as text: what Amazon's language asks beyond the schema that cfn-lint knows."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.workflows import definition
from tests.infra.synthesized import Synthesized
from twofold.settings import Workflow

every_workflow = pytest.mark.parametrize("workflow", Workflow)
TERMINAL = ("Succeed", "Fail")
Machine = dict[str, Any]


def _machines(machine: Machine) -> Iterator[Machine]:
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from _machines(state["ItemProcessor"])


def _leads_to(state: Machine) -> set[str]:
    rules = [*state.get("Catch", []), *state.get("Choices", []), state]
    following = {rule["Next"] for rule in rules if "Next" in rule}
    return following | ({state["Default"]} if "Default" in state else set())


def _parameters(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _parameters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parameters(inner)


@every_workflow
def test_every_state_can_be_reached_and_every_way_leads_to_a_state(
    template: Synthesized, workflow: Workflow
) -> None:
    for machine in _machines(template.definition(workflow)):
        reached, open_ = set[str](), {machine["StartAt"]}
        while open_:
            reached |= open_
            open_ = {to for name in open_ for to in _leads_to(machine["States"][name])} - reached
        assert reached == set(machine["States"])


@every_workflow
def test_every_way_comes_to_an_end(template: Synthesized, workflow: Workflow) -> None:
    for machine in _machines(template.definition(workflow)):
        for name, state in machine["States"].items():
            ends = state["Type"] in TERMINAL or state.get("End") is True
            assert ends == (not _leads_to(state)), name
            assert state["Type"] != "Choice" or "Default" in state, name


@every_workflow
def test_what_is_read_from_the_input_is_a_path_and_everything_else_is_not(
    template: Synthesized, workflow: Workflow
) -> None:
    for key, value in _parameters(template.definition(workflow)):
        if key.endswith(".$") or (key.endswith(("Path", "Variable")) and value is not None):
            assert value.startswith("$"), (key, value)
        elif isinstance(value, str) and key != "Resource":
            assert not value.startswith("$"), (key, value)


@every_workflow
def test_names_of_states_are_unique_and_short(template: Synthesized, workflow: Workflow) -> None:
    names = [n for machine in _machines(template.definition(workflow)) for n in machine["States"]]
    assert len(names) == len(set(names))
    assert all(len(name) <= 80 for name in names)


@every_workflow
def test_every_placeholder_is_substituted(template: Synthesized, workflow: Workflow) -> None:
    text = definition(workflow)
    for key in template.machines[workflow]["DefinitionSubstitutions"]:
        text = text.replace(f"${{{key}}}", "")
    assert "${" not in text
