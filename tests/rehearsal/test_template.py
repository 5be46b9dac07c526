"""The deployed template equals the synthesized template, except for the changes in `differences.py`."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.differences import DIFFERENCES, apply_differences


@pytest.fixture
def synthesized(assembly: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((assembly / "synthesized.json").read_bytes())
    return template


def test_the_differences_are_all_that_was_changed(
    assembly: Path, synthesized: dict[str, Any]
) -> None:
    (file,) = assembly.glob("*.template.json")
    apply_differences(synthesized)
    assert json.loads(file.read_bytes()) == synthesized


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.template)
def test_each_difference_changes_only_its_resource_types(
    difference: Any, synthesized: dict[str, Any]
) -> None:
    template = copy.deepcopy(synthesized)
    difference.apply(template)
    assert _list_changed_types(synthesized, template) == set(difference.touches)
    for text in (difference.template, difference.emulator, difference.instead):
        assert text.endswith(".")


def _list_changed_types(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the types of changed, added and removed resources."""
    return {
        template["Resources"][name]["Type"]
        for template in (before, after)
        for name in template["Resources"]
        if before["Resources"].get(name) != after["Resources"].get(name)
    }
