"""Which lines are entries, and what labels they hold."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twofold.manifest.lines import (
    MAX_LINE_CHARACTERS,
    Entry,
    Rejection,
    RejectionReason,
    list_entry,
    read_entry,
    source_bucket,
)

from tests.unit.any_lines import (
    Json,
    any_box,
    any_box_line,
    any_class,
    any_class_line,
    any_job_line,
    compact,
    documents,
    lines,
    seeds,
)


def entry_of(line: Json) -> Entry:
    entry = read_entry(compact(line))
    assert isinstance(entry, Entry)
    return entry


def rejection_of(line: bytes) -> Rejection:
    rejection = read_entry(line)
    assert isinstance(rejection, Rejection)
    assert 0 < len(rejection.detail) <= 300
    return rejection


def test_an_image_level_label_has_no_boxes() -> None:
    assert entry_of(any_class_line("Echo Dot")) == Entry(
        "s3://bucket/images/sunrise.png", ("Echo Dot",), (0,), labeled=True, has_errors=False
    )


def test_several_attributes_give_their_labels_in_order_and_once() -> None:
    entry = entry_of(any_class_line("football", "ball", "football"))
    assert (entry.labels, entry.boxes) == (("football", "ball"), (0, 0))


def test_boxes_are_counted_by_label_in_order_of_appearance() -> None:
    entry = entry_of(any_box_line(any_box(1), any_box(0), any_box(1)))
    assert (entry.labels, entry.boxes) == (("Echo Dot", "Echo"), (2, 1))


def test_class_ids_mean_what_their_own_line_says() -> None:
    line = any_box_line(any_box(40))
    line["BB-metadata"]["class-map"] = {"40": "cat", "7": "never used"}
    assert entry_of(line).labels == ("cat",)


def test_both_kinds_of_label_may_share_a_line_and_a_name() -> None:
    line = any_class_line("Echo") | any_box_line(any_box(0), any_box(0))
    entry = entry_of(line)
    assert (entry.labels, entry.boxes, entry.has_errors) == (("Echo",), (2,), False)


@pytest.mark.parametrize("ids", [[1, 0, 8], ["1", "0", "8"], [1, 0, 8, 1]])
def test_the_raw_multi_label_job_form_gives_its_labels(ids: list[Any]) -> None:
    entry = entry_of(any_job_line(ids))
    assert (entry.labels, entry.boxes, entry.has_errors) == (
        ("cat", "dog", "bird"),
        (0, 0, 0),
        False,
    )


def test_the_converted_multi_label_form_gives_its_label() -> None:
    metadata = any_class("cat", type="groundtruth/image-classification-multilabel")
    entry = entry_of({"source-ref": "s3://b/k", "animals0": 0, "animals0-metadata": metadata})
    assert (entry.labels, entry.has_errors) == (("cat",), False)


@pytest.mark.parametrize(
    "line",
    [
        {"source-ref": "s3://b/k"},
        {"source-ref": "s3://b/k", "color": "blue", "checked": True, "note": None},
        {
            "source-ref": "s3://b/k",
            "warnings": [{"code": "WARNING_UNANNOTATED_RECORD"}],
            "errors": [],
        },
        {
            "source-ref": "s3://b/k",
            "cl-metadata": {"is_labeled": True},
            "cl-errors": [{"code": "X"}],
        },
        any_box_line(),
        any_box_line(names=()),
        any_job_line([]),
        {
            "source-ref": "s3://b/k",
            "rekognition-custom-labels-evaluation-0": 1,
            "rekognition-custom-labels-evaluation-0-metadata": any_class("predicted"),
        },
    ],
)
def test_an_image_without_annotations_is_unlabelled_and_no_error(line: Json) -> None:
    entry = entry_of(line)
    assert (entry.labels, entry.labeled, entry.has_errors) == ((), False, False)


def test_text_beside_an_attribute_needs_no_metadata() -> None:
    entry = entry_of(any_class_line() | {"color": "blue", "object": "box", "weight": 3, "id": [1]})
    assert (entry.labels, entry.has_errors) == (("Sunrise",), False)


def test_a_prediction_beside_the_truth_does_not_count() -> None:
    prediction = any_class("Moonrise", human_annotated="no")
    key = "rekognition-custom-labels-evaluation-0"
    assert entry_of(any_class_line() | {key: 1, f"{key}-metadata": prediction}).labels == (
        "Sunrise",
    )


@pytest.mark.parametrize("value", ["0", 0, -3, 10**20, 1.0])
def test_the_identifier_of_an_image_level_label_may_be_any_number_or_text(value: Any) -> None:
    assert not entry_of(any_class_line() | {"scene0": value}).has_errors


def test_job_name_is_optional_and_dates_have_any_form() -> None:
    metadata = any_class(job_name=..., creation_date="2013-11-18 02:53:27")
    assert not entry_of(any_class_line() | {"scene0-metadata": metadata}).has_errors


def test_key_order_and_white_space_do_not_matter() -> None:
    line = any_box_line(any_box(0), any_box(1))
    backwards = dict(reversed([*line.items()]))
    text = "\t" + json.dumps(backwards).replace('": ', '"\t: ') + " \r"
    assert read_entry(text.encode()) == entry_of(line)


def test_labels_are_unicode() -> None:
    name = "Größe 日本 \U0001f600 \u2028"
    for ascii_only in (True, False):
        text = json.dumps(any_class_line(name), ensure_ascii=ascii_only)
        entry = read_entry(text.encode())
        assert isinstance(entry, Entry)
        assert entry.labels == (name,)


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
    rejection = rejection_of(line)
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
    assert rejection_of(compact(line)).reason is RejectionReason.MISSING_SOURCE_REF


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
    rejection = rejection_of(compact({"source-ref": source_ref}))
    assert rejection.reason is RejectionReason.MALFORMED_SOURCE_REF


@pytest.mark.parametrize(
    "key", ["k", "a/b c/é#?%.JPG", "/", "k" * 1024, "ä" * 512, "new\nline", 'with \\ and "']
)
def test_any_key_that_s3_can_hold_is_accepted(key: str) -> None:
    assert entry_of({"source-ref": f"s3://my-Bucket.1_x/{key}"}).source_ref.endswith(key)


def test_the_scheme_may_be_in_capitals_as_in_the_guide() -> None:
    assert source_bucket(entry_of({"source-ref": "S3://bucket/key"}).source_ref) == "bucket"


def test_the_bucket_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="https://bucket/key"):
        source_bucket("https://bucket/key")


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f600"])
def test_the_limit_of_a_line_is_counted_in_characters(letter: str) -> None:
    frame = len(compact({"source-ref": "s3://b/k", "a": ""}))
    longest = compact({"source-ref": "s3://b/k", "a": letter * (MAX_LINE_CHARACTERS - frame)})
    assert isinstance(read_entry(longest + b"\r"), Entry)
    rejection = rejection_of(longest.replace(b'"a":', b'"aa":'))
    assert rejection.reason is RejectionReason.LINE_TOO_LONG
    assert str(MAX_LINE_CHARACTERS + 1) in rejection.detail


def test_a_line_too_long_is_not_looked_into() -> None:
    assert rejection_of(b"\xff" * 10**6).reason is RejectionReason.LINE_TOO_LONG


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass"))
)
def test_no_bytes_make_reading_fail(line: bytes) -> None:
    assert isinstance(read_entry(line), Entry | Rejection)


@settings(deadline=None, max_examples=150)
@given(lines)
def test_any_object_with_a_source_ref_is_an_entry_with_distinct_and_aligned_labels(
    line: bytes,
) -> None:
    entry = read_entry(line)
    assert isinstance(entry, Entry)
    assert len(set(entry.labels)) == len(entry.labels) == len(entry.boxes)
    assert all(0 < len(label) <= 255 for label in entry.labels)
    assert entry.labeled or not entry.labels
    assert sum(entry.boxes) <= 50


@settings(deadline=None)
@given(documents(), seeds)
def test_the_order_of_keys_changes_nothing_but_the_order_of_labels(line: Json, seed: int) -> None:
    keys = list(line)
    Random(seed).shuffle(keys)
    one, other = entry_of(line), entry_of({key: line[key] for key in keys})
    assert dict(zip(one.labels, one.boxes, strict=True)) == dict(
        zip(other.labels, other.boxes, strict=True)
    )
    assert (one.labeled, one.has_errors) == (other.labeled, other.has_errors)


def distinct(pairs: list[tuple[str, Any]]) -> Json:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def is_strict_json_object(line: bytes) -> bool:
    """Judged by the standard library alone."""
    try:
        document = json.loads(line.decode(), object_pairs_hook=distinct)
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
@given(documents(), st.data())
def test_a_repeated_key_never_slips_through(line: Json, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(line)))
    spelling = data.draw(st.sampled_from(['%s:":",', "%s :1,", "%s\t:[],", '%s:"\\u0022:",']))
    extra = spelling % json.dumps(key, ensure_ascii=data.draw(st.booleans()))
    assert (
        rejection_of(b"{" + extra.encode() + compact(line)[1:]).reason
        is RejectionReason.INVALID_JSON
    )


def test_real_manifests_lose_no_line_for_no_reason() -> None:
    folder = os.environ.get("TWOFOLD_MANIFESTS")
    found = sorted(Path(folder).glob("*.manifest")) if folder else []
    assert found or not folder, f"TWOFOLD_MANIFESTS={folder} holds no *.manifest."
    for path in found:
        for line in path.read_bytes().splitlines():
            entry = read_entry(line)
            assert isinstance(entry, Entry) is ("source-ref" in json.loads(line)), path
            if isinstance(entry, Entry):
                errors = list_entry(line).count('"cl-errors"')
                assert bool(errors) is entry.has_errors, path
