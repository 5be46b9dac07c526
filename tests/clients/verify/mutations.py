"""Mutants of a JSON document that differ in one member: changed, missing, added, repeated, of another type or out of order."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

ELEMENTS = 3
"""Longer arrays have mutants of the first, the middle and the last element only."""
TYPES: tuple[Any, ...] = (None, True, "text", [], {})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed document. `pattern` is the path of the member, with [] for array elements; `text` is the document as JSON."""

    pattern: str
    kind: str
    text: str


def make_mutants(document: dict[str, Any]) -> Iterator[Mutant]:
    """Yields mutants, each of which differs from the document in one member."""
    for path, value in list(iterate_members(document)):
        name = make_pattern(path)
        for how, wrong in generate_values(value):
            yield Mutant(name, how, replace_member(document, path, wrong))
        if path:
            yield Mutant(name, "missing", remove_member(document, path))
        if isinstance(value, dict):
            yield Mutant(name, "added", replace_member(document, path, value | {"another": 0}))
            yield from repeat_keys(document, path, value)
        if isinstance(value, list):
            for how, wrong in generate_arrays(value):
                yield Mutant(name, how, replace_member(document, path, wrong))


def iterate_members(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from iterate_members(member, (*path, name))
    if isinstance(value, list):
        for position in sorted({0, len(value) // 2, len(value) - 1}) if value else ():
            yield from iterate_members(value[position], (*path, position))


def make_pattern(path: Path) -> str:
    steps = ("[]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def generate_values(value: Any) -> Iterator[tuple[str, Any]]:
    yield from (("type", wrong) for wrong in TYPES if type(wrong) is not type(value))
    if isinstance(value, bool):
        yield "change", not value
    elif isinstance(value, int):
        yield from (("change", wrong) for wrong in {value + 1, max(0, value - 1), 0} - {value})
        # Multipliers of a bound may be -1.
        negative = () if value == -1 else (-1,)
        yield from (("type", wrong) for wrong in (*negative, float(value), str(value), 10**30))
    elif isinstance(value, float):
        yield from (("change", wrong) for wrong in {value + 0.000001, 1 - value} - {value})
    elif isinstance(value, str):
        yield from (("change", wrong) for wrong in generate_texts(value) if wrong != value)


def generate_texts(value: str) -> Iterator[str]:
    yield from (f"{value}0", value[:-1], value.swapcase(), f"{value} ")
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError):
        return
    yield from (str(number + Fraction(1, number.denominator)), str(number + 1))
    yield f"{2 * number.numerator}/{2 * number.denominator}"
    yield "1e99999999"


def generate_arrays(value: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    if value:
        yield "repeated", [value[0], *value]
        yield "repeated", [*value, value[-1]]
    for position in range(len(value) - 1):
        if position in (0, len(value) - 2) and value[position] != value[position + 1]:
            first, second = value[position : position + 2]
            yield "order", [*value[:position], second, first, *value[position + 2 :]]


def replace_member(document: Any, path: Path, wrong: Any) -> str:
    if not path:
        return json.dumps(wrong)
    copy = deepcopy(document)
    find_parent(copy, path)[path[-1]] = wrong
    return json.dumps(copy)


def remove_member(document: Any, path: Path) -> str:
    copy = deepcopy(document)
    del find_parent(copy, path)[path[-1]]
    return json.dumps(copy)


def find_parent(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def repeat_keys(document: Any, path: Path, value: dict[str, Any]) -> Iterator[Mutant]:
    """Yields documents with a repeated key, first with a false value: most parsers keep the last value."""
    mark = "\N{LATIN SMALL LETTER THORN}"
    for name, member in value.items():
        text = replace_member(document, path, {mark: 0, **value})
        before = json.dumps({mark: 0})[1:-1]
        after = f"{json.dumps(name)}: {json.dumps([member])}"
        yield Mutant(make_pattern((*path, name)), "repeated key", text.replace(before, after))
