"""Every constraint of every member of the operations, at its limit and just beyond, from botocore's model and its extension."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.sites import SERVICE, Site, sample, shape_of, sites, sized
from twofold.api.constraints import violations
from twofold.settings import Operation

SITES = sites()


def having(fact: str) -> Callable[..., Any]:
    return pytest.mark.parametrize("site", [site for site in SITES if fact in site.shape], ids=str)


def assert_breaks(site: Site, value: Any, rule: str) -> None:
    """Exactly this rule at this place, whatever else the value breaks there too."""
    found = [text for text in violations(site.operation, site.request(value)) if rule in text]
    assert len(found) == 1, f"{rule} is not reported once"
    introduction = f"{site.collection} must satisfy constraint: [" if site.collection else ""
    assert f" at '{site.path}' failed to satisfy constraint: {introduction}" in found[0]


def measure(site: Site) -> str:
    return "value" if site.shape["type"] in ("integer", "long") else "length"


@pytest.mark.parametrize("operation", Operation)
def test_a_request_with_every_member_breaks_nothing(operation: str) -> None:
    request = sample(shape_of(SERVICE["operations"][operation]["input"]["shape"]))
    assert violations(operation, request) == []


@pytest.mark.parametrize("site", [s for s in SITES if s.without], ids=str)
def test_a_missing_required_member_is_reported_as_null(site: Site) -> None:
    assert site.without is not None
    expected = f"Value null at '{site.path}' failed to satisfy constraint: Member must not be null"
    assert violations(site.operation, site.without()) == [expected]
    assert violations(site.operation, site.request(None)) == [expected]


@pytest.mark.parametrize("site", [s for s in SITES if not s.without and not s.collection], ids=str)
def test_an_optional_member_may_be_null(site: Site) -> None:
    assert violations(site.operation, site.request(None)) == []


@having("max")
def test_the_maximum_is_accepted_and_one_more_is_not(site: Site) -> None:
    limit = site.shape["max"]
    assert violations(site.operation, site.request(sized(site.shape, limit))) == []
    rule = f"Member must have {measure(site)} less than or equal to {limit}"
    assert_breaks(site, sized(site.shape, limit + 1), rule)


@having("min")
def test_the_minimum_is_accepted_and_one_less_is_not(site: Site) -> None:
    limit = site.shape["min"]
    rule = f"Member must have {measure(site)} greater than or equal to {limit}"
    at_the_limit = violations(site.operation, site.request(sized(site.shape, limit)))
    # A text of the least length may be too short for its own pattern.
    pattern = f"regular expression pattern: {site.shape.get('pattern')}"
    assert [text for text in at_the_limit if pattern not in text or rule in text] == []
    if limit > 0:
        assert_breaks(site, sized(site.shape, limit - 1), rule)


@having("pattern")
def test_a_pattern_must_match_the_whole_value(site: Site) -> None:
    rule = f"Member must satisfy regular expression pattern: {site.shape['pattern']}"
    assert violations(site.operation, site.request(sample(site.shape))) == []
    # No pattern of the model takes a line feed, and Python's `$` alone would take a final one.
    assert_breaks(site, sample(site.shape) + "\n", rule)


@having("enum")
def test_an_enum_takes_its_members_and_nothing_else(site: Site) -> None:
    names = site.shape["enum"]
    for name in names:
        assert violations(site.operation, site.request(name)) == []
    for stranger in ("", names[0].swapcase(), names[0] + " ", "NO_SUCH"):
        assert_breaks(site, stranger, f"Member must satisfy enum value set: [{', '.join(names)}]")


def test_every_pattern_of_a_request_has_a_maximum_so_that_matching_takes_bounded_time() -> None:
    assert [
        str(site) for site in SITES if "pattern" in site.shape and "max" not in site.shape
    ] == []


def test_every_collection_of_a_request_has_a_maximum_so_that_reading_takes_bounded_time() -> None:
    collections = [site for site in SITES if site.shape["type"] in ("list", "map")]
    assert collections
    assert [str(site) for site in collections if "max" not in site.shape] == []
