"""Java's full match and toString, for patterns and messages of AWS's model."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.api import java_messages
from twofold.api.model import get_shape

TAG_VALUE = get_shape("TagValue")["pattern"]
TAG_KEY = get_shape("TagKey")["pattern"]
LABEL = get_shape("DatasetLabel")["pattern"]
QUERY = get_shape("QueryString")["pattern"]
LINE_TERMINATORS = ("\n", "\r", "\u0085", "\u2028", "\u2029")

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_tag_accepts_letters_separators_and_numbers_of_every_script_only() -> None:
    # Every 7th code point: 160,000 of all scripts in well under a second.
    for code in range(0, sys.maxunicode + 1, 7):
        char = chr(code)
        allowed = unicodedata.category(char)[0] in "LZN" or char in "_.:/=+-@"
        assert java_messages.match_pattern(TAG_VALUE, char) == allowed, f"U+{code:04X}"


@given(st.text())
def test_a_tag_value_matches_when_each_of_its_characters_does(value: str) -> None:
    assert java_messages.match_pattern(TAG_VALUE, value) == all(
        java_messages.match_pattern(TAG_VALUE, char) for char in value
    )


def test_private_use_characters_belong_to_no_category() -> None:
    assert not any(
        java_messages.match_pattern(TAG_VALUE, chr(code)) for code in range(0xE000, 0xE010)
    )


@pytest.mark.parametrize("key", ["aws:x", "aws:"])
def test_a_tag_key_does_not_begin_with_the_reserved_prefix(key: str) -> None:
    assert not java_messages.match_pattern(TAG_KEY, key)
    assert java_messages.match_pattern(TAG_KEY, key.upper())
    assert java_messages.match_pattern(TAG_KEY, "x" + key)


@pytest.mark.parametrize("terminator", LINE_TERMINATORS)
def test_a_dot_matches_no_line_terminator(terminator: str) -> None:
    assert java_messages.match_pattern(LABEL, "a label")
    assert not java_messages.match_pattern(LABEL, f"a{terminator}label")


def test_a_dot_in_a_character_class_is_a_dot() -> None:
    assert java_messages.match_pattern("[a.]+", "a.a")
    assert not java_messages.match_pattern("[a.]+", "ab")


@pytest.mark.parametrize("pattern", [r"^ab$", "ab", "(^ab$)"])
def test_the_whole_value_must_match_whether_the_pattern_is_anchored_or_not(pattern: str) -> None:
    assert java_messages.match_pattern(pattern, "ab")
    assert not any(
        java_messages.match_pattern(pattern, value) for value in ("ab\n", "\nab", "xab", "abx", "")
    )


def test_digits_and_white_space_are_ascii_as_in_java() -> None:
    assert java_messages.match_pattern(r"\d+", "09")
    assert not java_messages.match_pattern(r"\d+", "٣")
    assert not java_messages.match_pattern(QUERY, " \t")
    assert java_messages.match_pattern(QUERY, "\u00a0")


def test_no_value_is_slow_to_match_with_a_pattern_of_the_model() -> None:
    started = time.process_time()
    assert not java_messages.match_pattern(
        QUERY, "a" * (get_shape("QueryString")["max"] - 1) + "\n"
    )
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (101, "101"),
        ("name", "name"),
        (["a", "b"], "[a, b]"),
        ({"a": "1", "b": None}, "{a=1, b=null}"),
        ([{"Arn": "x"}, {}], "[{Arn=x}, {}]"),
        (b"four", "java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]"),
        ("it's\n\\", r"it\'s\u000a\\"),
    ],
)
def test_a_value_is_rendered_as_in_java(value: object, expected: str) -> None:
    assert java_messages.render_value(value) == expected


@given(any_json)
def test_a_rendered_value_is_short_and_escaped(value: object) -> None:
    echo = java_messages.render_value(value)
    assert len(echo) <= 6 * java_messages.ECHO_LIMIT + 3
    assert "'" not in echo.replace("\\\\", "").replace("\\'", "")
    assert all(unicodedata.category(char) not in ("Cc", "Cs") for char in echo)


def test_a_huge_or_deep_value_is_rendered_without_reading_all_of_it() -> None:
    deep: list[object] = []
    for _ in range(1_000):
        deep = [deep]
    started = time.process_time()
    values: tuple[object, ...] = ("x" * 10_000_000, [{}] * 3_000_000, {"k" * 10_000_000: 1}, deep)
    for value in values:
        assert len(java_messages.render_value(value)) <= java_messages.ECHO_LIMIT + 3
    assert time.process_time() - started < 1
