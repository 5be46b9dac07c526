"""What a distribution is asked for: by the request's members, else by the project's tags, else by the defaults.

The tags are for programs that cannot be changed. Their values are texts and may be anything, so they are held to the same
bounds as the members, when they are needed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import constraints
from twofold.api.contract import DistributeDatasetEntriesRequest, snake_case
from twofold.errors import InvalidParameterException
from twofold.fraction import parse_fraction
from twofold.records import SplitParameters

_PREFIX = "twofold:"
_WHOLE_DIGITS = 19


def split_parameters(
    request: DistributeDatasetEntriesRequest, tags: Mapping[str, str]
) -> SplitParameters:
    """`tags` are the project's. Raises InvalidParameterException, naming the member or tag and what it may be."""
    chosen = {
        member: _chosen(member, getattr(request, snake_case(member)), read, tags)
        for member, read in _READERS.items()
    }
    given = {snake_case(member): value for member, value in chosen.items() if value is not None}
    return SplitParameters(**given, dry_run=request.dry_run)


def _chosen(member: str, asked: Any, read: Callable[[Any], Any], tags: Mapping[str, str]) -> Any:
    tag = f"{_PREFIX}{snake_case(member).replace('_', '-')}"
    if asked is None and tag not in tags:
        return None
    name = member if asked is not None else f"The project's tag {tag}"
    try:
        return read(asked if asked is not None else _within_bounds(member, tags[tag]))
    except ValueError as error:
        raise InvalidParameterException(f"{name} is not valid. {error}") from error


def _within_bounds(member: str, text: str) -> str | int:
    """A tag's text as a value of the member; raises ValueError as the model's constraints would refuse the member."""
    value: str | int = text
    if member in _WHOLE:
        if not (text.isascii() and text.isdigit() and len(text) <= _WHOLE_DIGITS):
            raise ValueError(f"It must be a whole number; it is {text[:50]!r}.")
        value = int(text)
    broken = constraints.broken_rules("DistributeDatasetEntries", member, value)
    if broken:
        raise ValueError(f"{'; '.join(broken)}; it is {text[:50]!r}.")
    return value


def _fraction(text: str) -> str:
    return str(parse_fraction(text))


def _expression(text: str) -> str:
    """Who asks for no groups does not wait for NumPy and RE2 to be loaded."""
    from twofold.manifest.groups import GroupBy

    return GroupBy.of(text).expression


def _as_it_is(value: int | str) -> int | str:
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "TestFraction": _fraction,
    "Seed": _as_it_is,
    "GroupBy": _expression,
    "MinImagesPerLabel": _as_it_is,
    "Objective": _as_it_is,
}
_WHOLE = ("Seed", "MinImagesPerLabel")
