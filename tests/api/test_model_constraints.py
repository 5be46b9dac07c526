"""Every constraint of every member, at the limit and just beyond, from botocore's model and Twofold's extension."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.request_sites import (
    SERVICE,
    Site,
    get_shape,
    list_sites,
    list_violations,
    make_sample,
    make_sized_value,
)
from twofold.settings import ApiOperation

SITES = list_sites()


def parametrize_sites(constraint: str) -> Callable[..., Any]:
    return pytest.mark.parametrize(
        "site", [site for site in SITES if constraint in site.shape], ids=str
    )


def check_violation(site: Site, value: Any, rule: str) -> None:
    """Check for exactly one violation of the rule at the site; further violations of other rules are allowed."""
    messages = [
        text for text in list_violations(site.operation, site.build_request(value)) if rule in text
    ]
    assert len(messages) == 1, f"{rule} is not reported once"
    introduction = f"{site.collection} must satisfy constraint: [" if site.collection else ""
    assert f" at '{site.path}' failed to satisfy constraint: {introduction}" in messages[0]


def name_measure(site: Site) -> str:
    return "value" if site.shape["type"] in ("integer", "long") else "length"


@pytest.mark.parametrize("operation", ApiOperation)
def test_a_request_with_every_member_is_valid(operation: str) -> None:
    request = make_sample(get_shape(SERVICE["operations"][operation]["input"]["shape"]))
    assert list_violations(operation, request) == []


@pytest.mark.parametrize("site", [s for s in SITES if s.build_without_member], ids=str)
def test_a_missing_required_member_is_reported_as_null(site: Site) -> None:
    assert site.build_without_member is not None
    expected = f"Value null at '{site.path}' failed to satisfy constraint: Member must not be null"
    assert list_violations(site.operation, site.build_without_member()) == [expected]
    assert list_violations(site.operation, site.build_request(None)) == [expected]


@pytest.mark.parametrize(
    "site", [s for s in SITES if not s.build_without_member and not s.collection], ids=str
)
def test_an_optional_member_may_be_null(site: Site) -> None:
    assert list_violations(site.operation, site.build_request(None)) == []


@parametrize_sites("max")
def test_the_maximum_is_accepted_and_a_larger_value_rejected(site: Site) -> None:
    limit = site.shape["max"]
    assert (
        list_violations(site.operation, site.build_request(make_sized_value(site.shape, limit)))
        == []
    )
    rule = f"Member must have {name_measure(site)} less than or equal to {limit}"
    check_violation(site, make_sized_value(site.shape, limit + 1), rule)


@parametrize_sites("min")
def test_the_minimum_is_accepted_and_a_smaller_value_rejected(site: Site) -> None:
    limit = site.shape["min"]
    rule = f"Member must have {name_measure(site)} greater than or equal to {limit}"
    at_the_limit = list_violations(
        site.operation, site.build_request(make_sized_value(site.shape, limit))
    )
    # A text of the least length may be too short for its own pattern.
    pattern = f"regular expression pattern: {site.shape.get('pattern')}"
    assert [text for text in at_the_limit if pattern not in text or rule in text] == []
    if limit > 0:
        check_violation(site, make_sized_value(site.shape, limit - 1), rule)


@parametrize_sites("pattern")
def test_a_pattern_must_match_the_whole_value(site: Site) -> None:
    rule = f"Member must satisfy regular expression pattern: {site.shape['pattern']}"
    assert list_violations(site.operation, site.build_request(make_sample(site.shape))) == []
    # No pattern of the model matches a line feed, but Python's `$` matches before a final line feed.
    check_violation(site, make_sample(site.shape) + "\n", rule)


@parametrize_sites("enum")
def test_only_the_members_of_an_enum_are_accepted(site: Site) -> None:
    names = site.shape["enum"]
    for name in names:
        assert list_violations(site.operation, site.build_request(name)) == []
    for stranger in ("", names[0].swapcase(), names[0] + " ", "NO_SUCH"):
        check_violation(site, stranger, f"Member must satisfy enum value set: [{', '.join(names)}]")


def test_every_pattern_of_a_request_has_a_maximum_so_that_matching_takes_bounded_time() -> None:
    assert [
        str(site) for site in SITES if "pattern" in site.shape and "max" not in site.shape
    ] == []


def test_every_collection_of_a_request_has_a_maximum_so_that_reading_takes_bounded_time() -> None:
    collections = [site for site in SITES if site.shape["type"] in ("list", "map")]
    assert collections
    assert [str(site) for site in collections if "max" not in site.shape] == []
