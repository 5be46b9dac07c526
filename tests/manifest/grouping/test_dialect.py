"""An expression that is accepted gives the same key to RE2 and to Python's re."""

import re
import warnings

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.manifest.grouping.dialect import find_ambiguity, find_ambiguous_character
from twofold.manifest.grouping.group_by import GroupBy, UngroupedError

ATOMS = [
    *(
        "a",
        "k",
        "s",
        "é",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\S",
        r"\W",
        r"\b",
        "^",
        "$",
        "-",
        r"\x6b",
        r"\xe9",
        r"\013",
    ),
    *(
        "[a-k]",
        "[^k]",
        "[[:digit:]]",
        "[^[:alpha:]]",
        r"[\s-]",
        r"[\w.]",
        "[]k]",
        "[[k]",
        "[é-ü]",
        "{",
        "k{x}",
    ),
]
REPEATS = ["", "", "*", "+", "?", "*?", "+?", "{2}", "{1,}", "{,2}", "{02}", "{,}", "{0,2}?"]
TEXT = st.text(st.sampled_from("akKsSéÉüx0 -_\v\n\u017f\u212a:]{},[digt"), min_size=1, max_size=8)


def draw_groups(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(st.tuples(inner, st.sampled_from(REPEATS)), min_size=1, max_size=3)
    joined = body.map(lambda parts: "".join(part + repeat for part, repeat in parts))
    alternatives = st.lists(joined, min_size=1, max_size=2).map("|".join)
    return st.tuples(st.sampled_from(["(?:", "(", "(?i:", "(?s:"]), alternatives).map(
        lambda pair: f"{pair[0]}{pair[1]})"
    )


EXPRESSIONS = st.tuples(
    st.sampled_from(["", "", "(?i)", "(?m)", "(?is)"]),
    st.recursive(st.sampled_from(ATOMS), draw_groups, max_leaves=6),
    st.sampled_from(REPEATS),
    st.sampled_from(["", "$", "k", r"\s"]),
).map("".join)


@settings(max_examples=1500, deadline=None)
@given(EXPRESSIONS, TEXT)
def test_both_engines_find_the_same_key(expression: str, text: str) -> None:
    try:
        group_by = GroupBy.parse(expression)
    except ValueError:
        return
    if "(" not in expression:
        return
    try:
        key = group_by._match_source_ref({"source-ref": text})
    except UngroupedError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        match = re.compile(expression, re.ASCII).search(text)
    assert match is not None
    assert match.group(1) == key


@pytest.mark.parametrize(
    ("expression", "text", "remedy"),
    [
        ("([[:digit:]]+)", "s3://b/7", "write a range such as [0-9]"),
        ("([^[:digit:]]+)", "s3://b/7", "write a range such as [0-9]"),
        ("(?i)/(é)", "s3://b/É", "write both cases"),
        (r"(?i)/(\xe9)", "s3://b/É", "write both cases"),
        ("/(a{,3})b", "s3://b/aab", "write {0,3} for {,3}"),
        ("/(a{02})b", "s3://b/aab", "without leading zeros"),
        ("/(a*)+b", "s3://c/aab", "let it match one character"),
    ],
)
def test_what_the_engines_read_differently_is_refused(
    expression: str, text: str, remedy: str
) -> None:
    theirs = re2.compile(expression).search(text)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        ours = re.compile(expression, re.ASCII).search(text)
    assert (theirs and theirs.group(1)) != (ours and ours.group(1))
    with pytest.raises(ValueError, match="must mean the same") as refused:
        GroupBy.parse(expression)
    assert remedy in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "text"),
    [("(?i)/(k+)", "s3://b/\u212ak"), (r"/(\S+)", "s3://b/a\vb"), ("/([a-z]*)$", "s3://b/a\n")],
)
def test_a_source_ref_that_they_read_differently_has_no_group(expression: str, text: str) -> None:
    with pytest.raises(UngroupedError, match="regular expressions disagree about"):
        GroupBy.parse(expression)._match_source_ref({"source-ref": text})


@pytest.mark.parametrize(
    "expression",
    [
        r"/(patient[0-9]+)/",
        r"(?i)/(video-\d+)/",
        r"videos/([^/]+)/",
        r"/(?:a|b)+([\w.-]{1,20})$",
        r"(\{,3\})",
        r"([\[:])",
    ],
)
def test_common_expressions_are_accepted(expression: str) -> None:
    assert find_ambiguity(expression) is None
    assert find_ambiguous_character(expression, "s3://bucket/key") is None
