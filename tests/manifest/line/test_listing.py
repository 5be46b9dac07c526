"""The service adds its members to a line for a listing, and removes them again."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.support.manifest_lines import (
    Json,
    draw_document,
    lines,
    make_box,
    make_box_line,
    make_class_line,
    seeds,
    serialize_compactly,
    write_line,
)
from twofold.manifest.line.entry import read_entry
from twofold.manifest.line.limits import MAX_LINE_CHARACTERS
from twofold.manifest.line.listing import add_service_members, strip_service_members

# The one line of a dataset in error that AWS has published (developer guide, ERROR_UNSUPPORTED_USE_CASE_TYPE), on one line.
STORED = (
    '{"source-ref":"s3://bucket/test_normal_8.jpg","BB":{"annotations":['
    '{"left":1768,"top":1007,"width":448,"height":295,"class_id":0},'
    '{"left":1794,"top":1306,"width":432,"height":411,"class_id":1},'
    '{"left":2568,"top":1346,"width":710,"height":305,"class_id":2},'
    '{"left":2571,"top":1020,"width":644,"height":312,"class_id":3}],'
    '"image_size":[{"width":4000,"height":2667,"depth":3}]},"BB-metadata":{"job-name":"labeling-job/BB",'
    '"class-map":{"0":"comparator","1":"pot_resistor","2":"ir_phototransistor","3":"ir_led"},'
    '"human-annotated":"yes","objects":[{"confidence":1},{"confidence":1},{"confidence":1},{"confidence":1}],'
    '"creation-date":"2021-06-22T09:58:34.811Z","type":"groundtruth/wrongtype"'
)
UNSUPPORTED = (
    ',"cl-errors":[{"code":"ERROR_UNSUPPORTED_USE_CASE_TYPE","message":"The use case type of the BB-metadata '
    'label attribute metadata is unsupported. Check the type field."}]'
)
NO_VALID = ',"cl-errors":[{"code":"ERROR_NO_VALID_LABEL_ATTRIBUTES","message":"No valid label attributes found."}]'
LABELED = ',"cl-metadata":{"is_labeled":true}'


def remove_additions(value: Any) -> Any:
    if isinstance(value, dict):
        members = {
            key: item for key, item in value.items() if key not in ("cl-errors", "cl-metadata")
        }
        return {key: remove_additions(item) for key, item in members.items()}
    return [remove_additions(item) for item in value] if isinstance(value, list) else value


def test_the_published_line_in_error_is_listed_as_published() -> None:
    stored = (STORED + "}}").encode()
    listed = STORED + UNSUPPORTED + "}" + NO_VALID + LABELED + "}"
    assert add_service_members(stored) == listed
    assert strip_service_members(listed.encode()) == stored


def test_a_published_listing_with_the_metadata_before_the_errors_is_stripped_too() -> None:
    listed = STORED + UNSUPPORTED + "}" + LABELED + NO_VALID + "}"
    assert strip_service_members(listed.encode()) == (STORED + "}}").encode()


def test_a_sound_line_gets_only_the_metadata_and_loses_the_space_around_it() -> None:
    line = serialize_compactly(make_class_line())
    assert add_service_members(b" \t" + line + b"\r") == line[:-1].decode() + LABELED + "}"
    unlabeled = '{ "source-ref" : "s3://b/k"%s }'
    assert (
        add_service_members((unlabeled % "").encode())
        == unlabeled % ',"cl-metadata":{"is_labeled":false}'
    )


def test_an_error_of_a_box_stands_in_the_box() -> None:
    line = serialize_compactly(make_box_line(make_box(), make_box(width=1)))
    box = '"width":1,"height":334'
    errors = (
        '"cl-errors":[{"code":"ERROR_BOUNDING_BOX_TOO_SMALL",'
        '"message":"The height and width of the bounding box is too small."}]'
    )
    expected = line.decode().replace(box, f"{box},{errors}")[:-1] + LABELED + "}"
    assert add_service_members(line) == expected


def test_an_error_of_an_empty_object_stands_alone_in_it() -> None:
    line = b'{"source-ref":"s3://b/k","a":1,"a-metadata":{ } }'
    listed = add_service_members(line)
    assert (
        '"a-metadata":{"cl-errors":[{"code":"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"'
        in listed
    )
    assert strip_service_members(listed.encode()) == line


def test_what_a_supplied_line_says_of_itself_is_replaced() -> None:
    line = make_class_line() | {
        "cl-metadata": {"is_labeled": False},
        "cl-errors": [{"code": "OLD", "message": ""}],
    }
    line["scene0-metadata"] = {"cl-errors": [], **line["scene0-metadata"]}
    assert add_service_members(serialize_compactly(line)) == add_service_members(
        serialize_compactly(make_class_line())
    )


def test_an_error_told_in_an_empty_attribute_does_not_label_it() -> None:
    listed = add_service_members(serialize_compactly(make_class_line() | {"scene0": {}}))
    assert '"scene0":{"cl-errors":[' in listed
    assert add_service_members(listed.encode()) == listed


def test_a_line_that_is_no_entry_cannot_be_listed() -> None:
    with pytest.raises(ValueError, match="The source-ref key is missing"):
        add_service_members(b"{}")


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"",
            b"\xff\xfe",
            b'{"cl-metadata":1',
            b'["cl-errors"]',
            b'{"cl-errors":1,"cl-errors":2}',
        ),
        b'{"a":"cl-errors","cl-metadata2":1, "b":{"c":{"cl-errors":[]}}, "cl-errors-metadata":{}}',
        b' {"class-map": {"0": "cl-metadata"}, "annotations": [{"cl-errors": 1}], "x": {"annotations": {}}} ',
        b'{"x":{"cl-metadata":{}},"y":{"annotations":[["cl-errors"],"cl-errors",{"a":"\\"cl-errors"}]}}',
    ],
)
def test_a_line_without_additions_is_left_as_it_is(line: bytes) -> None:
    assert strip_service_members(line) == line


@pytest.mark.parametrize(
    ("line", "stripped"),
    [
        ('{"cl-metadata":{},"a":1}', '{"a":1}'),
        ('{ "cl-errors" : [] , "cl-metadata":{} , "a":1 }', '{ "a":1 }'),
        ('{"cl-errors":[], "cl-metadata":{}}', "{}"),
        ('{"a":1,"cl-metadata":{"b":1,"cl-errors":[]}}', '{"a":1}'),
        ('{"a":1, "cl-errors":[], "b":2, "cl-metadata":{}}', '{"a":1, "b":2}'),
        (
            '{"cl\\u002derrors":[1,{"x":","}],"a":"},\\"cl-errors\\":["}',
            '{"a":"},\\"cl-errors\\":["}',
        ),
        (
            '{"K":{"annotations":[{"cl-errors":[]},{"x":1,"cl-errors":[]}]}}',
            '{"K":{"annotations":[{},{"x":1}]}}',
        ),
        (
            '{"K":{"cl-errors":[],"annotations":[]},"M":{"x":1 ,"cl-errors":[]}}',
            '{"K":{"annotations":[]},"M":{"x":1 }}',
        ),
    ],
)
def test_additions_are_cut_out_wherever_a_client_has_moved_them(line: str, stripped: str) -> None:
    assert strip_service_members(line.encode()) == stripped.encode()


def test_a_line_of_the_greatest_length_comes_back_though_its_listing_is_longer() -> None:
    line = make_class_line()
    line["note"] = "x" * (MAX_LINE_CHARACTERS - len(serialize_compactly(line | {"note": ""})))
    listed = add_service_members(serialize_compactly(line))
    assert len(listed) > MAX_LINE_CHARACTERS
    assert strip_service_members(listed.encode()) == serialize_compactly(line)


def test_a_thousand_errors_in_a_line_are_told_in_a_moment() -> None:
    line = serialize_compactly(make_box_line(*[make_box(left=-1)] * 1000))
    listed = add_service_members(line)
    assert listed.count("ERROR_INVALID_BOUNDING_BOX") == 1000
    assert strip_service_members(listed.encode()) == line


@settings(deadline=None, max_examples=150)
@given(lines)
def test_a_listed_line_says_the_same_and_comes_back_byte_for_byte(line: bytes) -> None:
    listed = add_service_members(line)
    assert remove_additions(json.loads(listed)) == json.loads(line)
    assert strip_service_members(listed.encode()) == line.strip()
    assert strip_service_members(line) == line
    assert add_service_members(listed.encode()) == listed
    assert read_entry(listed.encode()) == read_entry(line)


@settings(deadline=None)
@given(draw_document(), seeds)
def test_a_listed_line_that_a_client_has_written_anew_comes_back_the_same(
    line: Json, seed: int
) -> None:
    listed = json.loads(add_service_members(serialize_compactly(line)))
    anew = write_line(listed, seed)
    assert json.loads(strip_service_members(anew)) == line
