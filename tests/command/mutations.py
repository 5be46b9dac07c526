"""Every way in which one member of a JSON document can be false: changed, missing, added, repeated, of another type or out of
its place."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

ELEMENTS = 3
"""Of a longer array the first, the last and the one in the middle are mutated."""
TYPES: tuple[Any, ...] = (None, True, "text", [], {})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`pattern` is the path of the member, with [] for any element of an array; `text` is the document as JSON."""

    pattern: str
    how: str
    text: str


def mutate(document: dict[str, Any]) -> Iterator[Mutant]:
    """Each mutant differs from the document in one place."""
    for path, value in list(_members(document)):
        name = _pattern(path)
        for how, wrong in _other_values(value):
            yield Mutant(name, how, _replaced(document, path, wrong))
        if path:
            yield Mutant(name, "missing", _without(document, path))
        if isinstance(value, dict):
            yield Mutant(name, "added", _replaced(document, path, value | {"another": 0}))
            yield from _repeated_keys(document, path, value)
        if isinstance(value, list):
            for how, wrong in _other_arrays(value):
                yield Mutant(name, how, _replaced(document, path, wrong))


def _members(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _members(member, (*path, name))
    if isinstance(value, list):
        for place in sorted({0, len(value) // 2, len(value) - 1}) if value else ():
            yield from _members(value[place], (*path, place))


def _pattern(path: Path) -> str:
    steps = ("[]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _other_values(value: Any) -> Iterator[tuple[str, Any]]:
    yield from (("type", wrong) for wrong in TYPES if type(wrong) is not type(value))
    if isinstance(value, bool):
        yield "change", not value
    elif isinstance(value, int):
        yield from (("change", wrong) for wrong in {value + 1, max(0, value - 1), 0} - {value})
        yield from (("type", wrong) for wrong in (-1, float(value), str(value), 10**30))
    elif isinstance(value, float):
        yield from (("change", wrong) for wrong in {value + 0.000001, 1 - value} - {value})
    elif isinstance(value, str):
        yield from (("change", wrong) for wrong in _other_texts(value) if wrong != value)


def _other_texts(value: str) -> Iterator[str]:
    yield from (f"{value}0", value[:-1], value.swapcase(), f"{value} ")
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError):
        return
    yield from (str(number + Fraction(1, number.denominator)), str(number + 1))
    yield f"{2 * number.numerator}/{2 * number.denominator}"
    yield "1e99999999"


def _other_arrays(value: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    if value:
        yield "repeated", [value[0], *value]
        yield "repeated", [*value, value[-1]]
    for place in range(len(value) - 1):
        if place in (0, len(value) - 2) and value[place] != value[place + 1]:
            one, other = value[place : place + 2]
            yield "order", [*value[:place], other, one, *value[place + 2 :]]


def _replaced(document: Any, path: Path, wrong: Any) -> str:
    if not path:
        return json.dumps(wrong)
    copy = deepcopy(document)
    _parent(copy, path)[path[-1]] = wrong
    return json.dumps(copy)


def _without(document: Any, path: Path) -> str:
    copy = deepcopy(document)
    del _parent(copy, path)[path[-1]]
    return json.dumps(copy)


def _parent(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def _repeated_keys(document: Any, path: Path, value: dict[str, Any]) -> Iterator[Mutant]:
    """Each member once more, first with a false value: most readers keep the last."""
    mark = "\N{LATIN SMALL LETTER THORN}"
    for name, member in value.items():
        text = _replaced(document, path, {mark: 0, **value})
        before = json.dumps({mark: 0})[1:-1]
        after = f"{json.dumps(name)}: {json.dumps([member])}"
        yield Mutant(_pattern((*path, name)), "repeated key", text.replace(before, after))
