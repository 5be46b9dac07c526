"""report.html in Debian's chromium: quiet, readable on a desk and on a phone, in light and dark, on paper, without its
script, and accessible."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium
from tests.browser.gallery import EXHIBITS, HOSTILE, HOSTILE_EXHIBIT
from tests.command.terminal import twofold

ALL = (*EXHIBITS, HOSTILE_EXHIBIT)
LABELS = {exhibit.name: len(exhibit.labels) for exhibit in ALL}


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser saw, by the name of the exhibit."""
    browser = chromium.found()
    if browser is None:
        pytest.skip("there is no chromium here; apt-get install chromium, or set TWOFOLD_CHROMIUM")
    folder = tmp_path_factory.mktemp("reports")
    pages = {str(exhibit.written(folder)): exhibit.name for exhibit in ALL}
    found = json.loads(chromium.script("check.mjs", *pages, browser=browser))
    return {name: found[page] for page, name in pages.items()}


@pytest.fixture(params=[exhibit.name for exhibit in ALL])
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_the_console_is_silent_and_nothing_else_is_asked_for(
    seen: dict[str, Any], name: str
) -> None:
    assert [view["heard"] for view in seen[name]["views"]] == [[]] * 2


def test_axe_finds_nothing(seen: dict[str, Any], name: str) -> None:
    assert [view["violations"] for view in seen[name]["views"]] == [[]] * 2


def test_no_page_scrolls_sideways(seen: dict[str, Any], name: str) -> None:
    assert [view["overflow"] for view in seen[name]["views"]] == [0] * 2


def test_light_and_dark_are_two(seen: dict[str, Any], name: str) -> None:
    light, dark = (view["background"] for view in seen[name]["views"])
    assert (light, dark) == ("rgb(252, 251, 248)", "rgb(20, 23, 27)")


def test_paper_is_white_and_has_no_buttons(seen: dict[str, Any], name: str) -> None:
    printed = seen[name]["print"]
    assert printed["background"] == "rgb(255, 255, 255)"
    assert set(printed["tools"]) <= {"none"}
    assert 1 <= printed["pages"] <= 8


def test_the_outcome_stands_first(seen: dict[str, Any], name: str) -> None:
    text = " ".join(seen[name]["used"]["text"].split())
    assert text.startswith("Train ")
    assert f"of {LABELS[name]:,}" in text[:400]
    assert "Make it again, and check it" in text


def test_without_its_script_the_page_has_the_same_labels(seen: dict[str, Any], name: str) -> None:
    plain = seen[name]["plain"]
    assert plain["rows"] in (LABELS[name], LABELS[name] + 1)
    assert plain["text"].split()[:6] == seen[name]["used"]["text"].split()[:6]


def test_many_labels_are_folded_found_and_sorted(seen: dict[str, Any]) -> None:
    used = seen["thousand-labels"]["used"]
    assert len(used["first"]) == len(used["byName"]) == 25
    assert used["told"] == "25 of 1,001 shown"
    assert used["searched"] == [used["first"][-1]]
    assert used["byName"] == sorted(used["byName"])
    images = [int(text.replace(",", "")) for text in used["byImages"]]
    assert images == sorted(images, reverse=True)
    assert len(set(used["opened"])) == 1001


def test_a_few_labels_are_not_folded(seen: dict[str, Any]) -> None:
    used = seen["three-labels"]["used"]
    assert set(used["first"]) == {"cat", "dog", "rabbit", "(no label)"}
    assert "opened" not in used


def test_hostile_names_do_nothing(seen: dict[str, Any]) -> None:
    assert not any(view["harmed"] for view in seen["hostile"]["views"])
    assert all(label in seen["hostile"]["used"]["first"] for label in HOSTILE[:3])


def test_the_exhibits_are_split_as_one_would(tmp_path: Path) -> None:
    page = HOSTILE_EXHIBIT.written(tmp_path)
    assert twofold("verify", page.parent) == 0
