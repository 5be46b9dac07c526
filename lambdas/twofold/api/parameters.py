"""The parameters of a distribution: from the members of the request, else from tags of the project, else the defaults.

Tags are for programs without access to Twofold's members. AWS's model does not validate the values of tags, so this module
applies the constraints of the corresponding members when a distribution reads the tags.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import constraints
from twofold.api.requests import DistributeDatasetEntriesRequest, to_snake_case
from twofold.errors import InvalidParameterException
from twofold.fraction import parse_fraction
from twofold.records import SplitParameters

_PREFIX = "twofold:"
_MAX_INTEGER_DIGITS = 19


def resolve_split_parameters(
    request: DistributeDatasetEntriesRequest, tags: Mapping[str, str]
) -> SplitParameters:
    """Return the parameters of a request, given the project's tags.

    Raises InvalidParameterException with the name and the valid values of an invalid member or tag.
    """
    values = {
        member: _resolve(member, getattr(request, to_snake_case(member)), convert, tags)
        for member, convert in _CONVERTERS.items()
    }
    arguments = {
        to_snake_case(member): value for member, value in values.items() if value is not None
    }
    return SplitParameters(**arguments, dry_run=request.dry_run)


def _resolve(
    member: str, requested: Any, convert: Callable[[Any], Any], tags: Mapping[str, str]
) -> Any:
    """Return the converted value of a member or, without the member, of the project's tag; None without both."""
    tag = f"{_PREFIX}{to_snake_case(member).replace('_', '-')}"
    if requested is None and tag not in tags:
        return None
    name = member if requested is not None else f"The project's tag {tag}"
    try:
        return convert(requested if requested is not None else _parse_tag(member, tags[tag]))
    except ValueError as error:
        raise InvalidParameterException(f"{name} is not valid. {error}") from error


def _parse_tag(member: str, text: str) -> str | int:
    """Return the value of a tag as the member's type. Raises ValueError for violated constraints of the model."""
    value: str | int = text
    if member in _INTEGER_MEMBERS:
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_INTEGER_DIGITS):
            raise ValueError(f"It must be a whole number; it is {text[:50]!r}.")
        value = int(text)
    broken = constraints.list_broken_rules("DistributeDatasetEntries", member, value)
    if broken:
        raise ValueError(f"{'; '.join(broken)}; it is {text[:50]!r}.")
    return value


def _normalize_fraction(text: str) -> str:
    return str(parse_fraction(text))


def _normalize_group_by(text: str) -> str:
    # NumPy and RE2 load only for a distribution by groups.
    from twofold.manifest.grouping.group_by import GroupBy

    return GroupBy.parse(text).expression


def _keep_value(value: int | str) -> int | str:
    return value


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "TestFraction": _normalize_fraction,
    "Seed": _keep_value,
    "GroupBy": _normalize_group_by,
    "MinImagesPerLabel": _keep_value,
    "Objective": _keep_value,
}
_INTEGER_MEMBERS = ("Seed", "MinImagesPerLabel")
