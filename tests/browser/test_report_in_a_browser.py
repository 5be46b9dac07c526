"""report.html in chromium: no errors or requests; accessible on wide and narrow screens, in light and dark, in print, and
without its script."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium
from tests.browser.gallery import EXHIBITS, HOSTILE, HOSTILE_EXHIBIT
from tests.clients.command.terminal import run_twofold

ALL = (*EXHIBITS, HOSTILE_EXHIBIT)
LABELS = {exhibit.name: len(exhibit.labels) for exhibit in ALL}


@pytest.fixture(scope="session")
def observations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The observations of the browser, by the name of the exhibit."""
    browser = chromium.find_browser()
    if browser is None:
        pytest.skip("no chromium found; apt-get install chromium, or set TWOFOLD_CHROMIUM")
    folder = tmp_path_factory.mktemp("reports")
    pages = {str(exhibit.write_page(folder)): exhibit.name for exhibit in ALL}
    observed = json.loads(chromium.run_script("check.mjs", *pages, browser=browser))
    return {name: observed[page] for page, name in pages.items()}


@pytest.fixture(params=[exhibit.name for exhibit in ALL])
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_the_console_is_silent_and_there_are_no_requests(
    observations: dict[str, Any], name: str
) -> None:
    assert [view["events"] for view in observations[name]["views"]] == [[]] * 2


def test_axe_finds_no_violations(observations: dict[str, Any], name: str) -> None:
    assert [view["violations"] for view in observations[name]["views"]] == [[]] * 2


def test_no_page_scrolls_sideways(observations: dict[str, Any], name: str) -> None:
    assert [view["overflow"] for view in observations[name]["views"]] == [0] * 2


def test_light_and_dark_have_different_backgrounds(observations: dict[str, Any], name: str) -> None:
    light, dark = (view["background"] for view in observations[name]["views"])
    assert (light, dark) == ("rgb(252, 251, 248)", "rgb(20, 23, 27)")


def test_paper_is_white_and_has_no_buttons(observations: dict[str, Any], name: str) -> None:
    printed = observations[name]["print"]
    assert printed["background"] == "rgb(255, 255, 255)"
    assert set(printed["tools"]) <= {"none"}
    assert 1 <= printed["pages"] <= 8


def test_the_outcome_comes_first(observations: dict[str, Any], name: str) -> None:
    text = " ".join(observations[name]["used"]["text"].split())
    assert text.startswith("Train ")
    assert f"of {LABELS[name]:,}" in text[:400]
    assert "Reproduce and verify" in text


def test_without_its_script_the_page_has_the_same_labels(
    observations: dict[str, Any], name: str
) -> None:
    plain = observations[name]["plain"]
    assert plain["rows"] in (LABELS[name], LABELS[name] + 1)
    assert plain["text"].split()[:6] == observations[name]["used"]["text"].split()[:6]


def test_many_labels_are_folded_searched_and_sorted(observations: dict[str, Any]) -> None:
    used = observations["thousand-labels"]["used"]
    assert len(used["first"]) == len(used["byName"]) == 25
    assert used["status"] == "25 of 1,001 shown"
    assert used["searched"] == [used["first"][-1]]
    assert used["byName"] == sorted(used["byName"])
    images = [int(text.replace(",", "")) for text in used["byImages"]]
    assert images == sorted(images, reverse=True)
    assert len(set(used["opened"])) == 1001


def test_a_few_labels_are_not_folded(observations: dict[str, Any]) -> None:
    used = observations["three-labels"]["used"]
    assert set(used["first"]) == {"cat", "dog", "rabbit", "(no label)"}
    assert "opened" not in used


def test_hostile_names_have_no_effect(observations: dict[str, Any]) -> None:
    assert not any(view["harmed"] for view in observations["hostile"]["views"])
    assert all(label in observations["hostile"]["used"]["first"] for label in HOSTILE[:3])


def test_the_split_of_an_exhibit_verifies(tmp_path: Path) -> None:
    page = HOSTILE_EXHIBIT.write_page(tmp_path)
    assert run_twofold("verify", page.parent) == 0
