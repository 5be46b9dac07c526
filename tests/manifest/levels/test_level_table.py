"""Levels and quantiles of members: exact, and equal for any ranges and any order of lines."""

import json
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.levels import Levels
from twofold.manifest.levels.balance_by import (
    BalancedMember,
    LevelError,
    parse_balance_by,
    read_values,
    record_levels,
)
from twofold.manifest.levels.level_table import (
    LevelTableBuilder,
    TooManyLevelsError,
    join_levels,
)
from twofold.manifest.line.byte_ranges import LineBatch
from twofold_verify.levels import name_levels, order_levels, parse_members
from twofold_verify.strict_json import parse_json

NEAR = 1 << 53
numbers = (
    st.integers(-3, 3)
    | st.sampled_from([NEAR, NEAR + 1, float(NEAR), NEAR + 2, -0.0, 1e300, (1 << 64) - 1, 0.1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.none()
)
texts = st.sampled_from(["a", "é", "", "3", "true"]) | st.booleans() | st.none() | st.integers(0, 3)


def read_levels(
    lines: Sequence[bytes], members: tuple[BalancedMember, ...], ranges: int = 1
) -> Levels:
    tables = []
    for part in np.array_split(np.arange(len(lines)), ranges):
        builder = LevelTableBuilder(len(members))
        batch = LineBatch(part.tolist(), [lines[i] for i in part])
        assert list(record_levels([batch], members, builder)) == [batch]
        tables.append(builder.build())
    return join_levels(tables, members, np.ones(len(lines), np.bool_))


def list_levels(levels: Levels) -> list[list[tuple[str, str | None]]]:
    return [[levels.names[number] for number in row] for row in levels.level]


@given(st.lists(st.tuples(numbers, texts), min_size=1), st.integers(2, 6), st.integers(1, 4))
def test_levels_are_those_of_the_verifier_for_any_ranges(
    values: list[tuple[float | None, object]], quantiles: int, ranges: int
) -> None:
    lines = [json.dumps({"age": age, "text": text}).encode() for age, text in values]
    members = parse_balance_by(f"text,age:{quantiles}")
    levels = read_levels(lines, members, ranges)
    checked = parse_members(levels.members)
    documents = [parse_json(line) for line in lines]
    expected, order = [], []
    for member in checked:
        read = [member.read_value(document) for document in documents]
        named = name_levels(member, {value: read.count(value) for value in read})  # type: ignore[arg-type]
        expected.append([named[value] for value in read])
        order += order_levels(member, named)
    assert list_levels(levels) == expected
    assert list(levels.names) == order


@given(st.lists(numbers, min_size=1), st.integers(2, 6))
def test_a_quantile_is_the_rounded_share_of_smaller_numbers(
    ages: list[float | None], quantiles: int
) -> None:
    lines = [json.dumps({"age": age}).encode() for age in ages]
    levels = list_levels(read_levels(lines, (BalancedMember("age", quantiles),)))[0]
    known = [age for age in ages if age is not None]
    exact = {
        age: int(Fraction(quantiles * sum(other < age for other in known), len(known)))
        for age in known
    }
    for age, (_, level) in zip(ages, levels, strict=True):
        if age is None:
            assert level is None
            continue
        peers = [other for other in known if exact[other] == exact[age]]
        low, high = min(peers), max(peers)
        assert level is not None
        bounds = [float(text) for text in level.split(" to ")]
        assert bounds == ([float(low)] if low == high else [float(low), float(high)])


def test_whole_numbers_beyond_doubles_stay_apart() -> None:
    lines = [f'{{"age":{age}}}'.encode() for age in (NEAR + 1, NEAR, NEAR + 2)]
    levels = read_levels(lines, (BalancedMember("age", 3),))
    assert levels.names == tuple(("age", str(NEAR + i)) for i in range(3))


@pytest.mark.parametrize(
    ("expression", "value", "reason"),
    [
        ("camera", "3.5", "is 3.5; it must be text .* Quantiles take any number: camera:5"),
        ("camera", "[1]", "must be text"),
        ("camera", '"' + "x" * 256 + '"', "at most 255 characters"),
        ("age:5", '"7"', 'is "7"; quantiles need a number'),
        ("age:5", "true", "is true; quantiles need a number"),
    ],
)
def test_a_wrong_value_is_explained(expression: str, value: str, reason: str) -> None:
    (member,) = parse_balance_by(expression)
    with pytest.raises(LevelError, match=reason):
        read_values(f'{{"{member.name}":{value}}}'.encode(), (member,))
    with pytest.raises(ValueError, match="is no level"):
        parse_members([expression])[0].read_value(
            parse_json(f'{{"{member.name}":{value}}}'.encode())
        )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 1000 characters"),
        ("camera,", "1 to 1000 characters"),
        ("camera,camera:5", "'camera' appears twice"),
        ("age:1", "from 2 to 100"),
        ("age:1000", "from 2 to 100"),
        (",".join(map(str, range(17))), "There are 17 members; at most 16"),
    ],
)
def test_wrong_members_are_explained(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_balance_by(text)


def test_a_member_with_a_value_for_each_image_is_refused() -> None:
    lines = [f'{{"id":{i}}}'.encode() for i in range(1001)]
    with pytest.raises(TooManyLevelsError, match=r"1001 different values.*--balance-by id:5"):
        read_levels(lines, (BalancedMember("id"),))
