"""Rejected lines and the reasons."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.manifest.line.expected_errors import (
    read_rejection,
    read_valid_entry,
)
from tests.support.manifest_lines import (
    Json,
    draw_document,
    lines,
    serialize_compactly,
)
from twofold.manifest.line.document import parse_bucket
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.errors import Rejection, RejectionReason
from twofold.manifest.line.limits import MAX_LINE_CHARACTERS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "blank"),
        (b" \t\r", "blank"),
        (b"[]", "not an object"),
        (b'"s3://b/k"', "not an object"),
        (b'{"source-ref":"s3://b/k"', "not valid JSON"),
        (b'{"source-ref":"s3://b/k"}{}', "not valid JSON"),
        (b"{'source-ref':'s3://b/k'}", "not valid JSON"),
        (b'{"source-ref":"s3://b/k",}', "not valid JSON"),
        (b'{"source-ref":"s3://b/k","a":NaN}', "not valid JSON"),
        (b'{"source-ref":"s3://b/k","a":-Infinity}', "not valid JSON"),
        (b'{"source-ref":"s3://b/k","a":1e999}', "infinity"),
        (b'{"source-ref":"s3://b/k","a":' + b"9" * 400 + b"}", "infinity"),
        (b'{"source-ref":"s3://b/k","a":' + b"9" * 5000 + b"}", "infinity"),
        (b'{"source-ref":"s3://b/\\ud800"}', "surrogate"),
        (b'{"source-ref":"s3://b/\xed\xa0\x80"}', "byte 23"),
        (b'{"source-ref":"s3://b/\xff"}', "byte 23"),
        (b'{"source-ref":"s3://b/\x00"}', "control character"),
        (b'\xef\xbb\xbf{"source-ref":"s3://b/k"}', "byte order mark"),
        (b'{"source-ref":"s3://b/k","source-ref":"s3://b/k"}', "'source-ref' appears twice"),
        (b'{"source-ref":"s3://b/k","a":1,"a":1e15}', "'a' appears twice"),
        (b'{"source-ref":"s3://b/k","a":{"b" :1,"b":1}}', "'b' appears twice"),
        (b'{"source-ref":"s3://b/k","a":[{"b":":","\\u0062":"\\":"}]}', "'b' appears twice"),
        (
            b'{"source-ref":"s3://b/k","' + b"k" * 900 + b'":1,"' + b"k" * 900 + b'":1}',
            "appears twice",
        ),
        (b'{"source-ref":"s3://b/k","a":' + b"[" * 300 + b"]" * 300 + b"}", "nested deeper"),
        (b'{"source-ref":"s3://b/k","a":' + b"[" * 40000 + b"]" * 40000 + b"}", "depth limit"),
        (b'{"source-ref":"s3://b/k","a":' + b'{"a":' * 9000 + b"1" + b"}" * 9001, "depth limit"),
    ],
)
def test_a_line_that_is_no_sound_json_object_is_rejected(line: bytes, words: str) -> None:
    rejection = read_rejection(line)
    assert rejection.reason is RejectionReason.INVALID_JSON
    assert words in rejection.detail


@pytest.mark.parametrize(
    "number", [b"1" * 300, b"1e308", b"5e-324", b"1e-999", b"-0.0", b"18446744073709551616"]
)
def test_a_number_that_a_double_can_hold_is_no_reason(number: bytes) -> None:
    entry = read_entry(b'{"source-ref":"s3://b/k","a":"","b":[' + number + b"]}")
    assert isinstance(entry, Entry)


@pytest.mark.parametrize("line", [{}, {"source": "text"}, {"Source-Ref": "s3://b/k"}])
def test_a_line_without_source_ref_is_rejected(line: Json) -> None:
    assert read_rejection(serialize_compactly(line)).reason is RejectionReason.MISSING_SOURCE_REF


@pytest.mark.parametrize(
    "source_ref",
    [
        *(
            "https://bucket/key",
            "bucket/key",
            "s3://",
            "s3://bucket",
            "s3://bucket/",
            "s3:///key",
            "",
        ),
        *(" s3://b/k", "s3://bu cket/k", "s3://b" * 3, "s3:/b/k", "s3://" + "b" * 256 + "/k"),
        *("s3://b/" + "k" * 1025, "s3://b/" + "ä" * 513, "x" * 9000),
        *(None, 7, ["s3://b/k"], {"s3": "s3://b/k"}, True),
    ],
)
def test_a_malformed_source_ref_is_rejected(source_ref: Any) -> None:
    rejection = read_rejection(serialize_compactly({"source-ref": source_ref}))
    assert rejection.reason is RejectionReason.MALFORMED_SOURCE_REF


@pytest.mark.parametrize(
    "key", ["k", "a/b c/é#?%.JPG", "/", "k" * 1024, "ä" * 512, "new\nline", 'with \\ and "']
)
def test_any_key_that_s3_can_hold_is_accepted(key: str) -> None:
    assert read_valid_entry({"source-ref": f"s3://my-Bucket.1_x/{key}"}).source_ref.endswith(key)


def test_the_scheme_may_be_in_capitals_as_in_the_guide() -> None:
    assert parse_bucket(read_valid_entry({"source-ref": "S3://bucket/key"}).source_ref) == "bucket"


def test_the_bucket_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="https://bucket/key"):
        parse_bucket("https://bucket/key")


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f600"])
def test_the_limit_of_a_line_is_counted_in_characters(letter: str) -> None:
    frame = len(serialize_compactly({"source-ref": "s3://b/k", "a": ""}))
    longest = serialize_compactly(
        {"source-ref": "s3://b/k", "a": letter * (MAX_LINE_CHARACTERS - frame)}
    )
    assert isinstance(read_entry(longest + b"\r"), Entry)
    rejection = read_rejection(longest.replace(b'"a":', b'"aa":'))
    assert rejection.reason is RejectionReason.LINE_TOO_LONG
    assert str(MAX_LINE_CHARACTERS + 1) in rejection.detail


def test_a_line_too_long_is_not_looked_into() -> None:
    assert read_rejection(b"\xff" * 10**6).reason is RejectionReason.LINE_TOO_LONG


def reject_repeated_keys(pairs: list[tuple[str, Any]]) -> Json:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def is_strict_json_object(line: bytes) -> bool:
    """Whether the standard library reads the line as a JSON object without repeated keys."""
    try:
        document = json.loads(line.decode(), object_pairs_hook=reject_repeated_keys)
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except (AssertionError, ValueError):
        return False
    return isinstance(document, dict)


@settings(deadline=None, max_examples=150)
@given(lines, st.data())
def test_a_damaged_line_is_rejected_exactly_when_it_is_no_strict_json(
    line: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(line)))
    until = data.draw(st.integers(at, min(len(line), at + 4)))
    scraps = st.sampled_from(
        [b"", b'"', b"{", b'"a":1,', b'"":1,', b"\\", b"NaN", b"1e999", b"\\ud800", b"\xc3", b":"]
    )
    damaged = line[:at] + data.draw(scraps) + line[until:]
    entry = read_entry(damaged)
    invalid = isinstance(entry, Rejection) and entry.reason is RejectionReason.INVALID_JSON
    assert invalid is not is_strict_json_object(damaged)


@settings(deadline=None)
@given(draw_document(), st.data())
def test_a_repeated_key_never_slips_through(line: Json, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(line)))
    spelling = data.draw(st.sampled_from(['%s:":",', "%s :1,", "%s\t:[],", '%s:"\\u0022:",']))
    extra = spelling % json.dumps(key, ensure_ascii=data.draw(st.booleans()))
    assert (
        read_rejection(b"{" + extra.encode() + serialize_compactly(line)[1:]).reason
        is RejectionReason.INVALID_JSON
    )


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b"", "The line is blank."),
        (b" \t\r", "The line is blank."),
        (b"\x0b\x0c", "The line is blank."),
        (b"\0", "The line has a NUL at byte 1."),
        (b'{"source-ref":"s3://b/k"}\0', "The line has a NUL at byte 26."),
        (
            b'\xef\xbb\xbf{"source-ref":"s3://b/k"}',
            "The line begins with a byte order mark, which only the first line of a file may.",
        ),
    ],
)
def test_what_cannot_be_seen_in_an_editor_is_named(line: bytes, detail: str) -> None:
    assert read_rejection(line).detail == detail
