"""The errors of a line: code, message, level and precedence, and the labels that still count."""

from typing import Any

import pytest

from tests.manifest.line.expected_errors import (
    METADATA_FORMAT,
    MISSING_CLASS_MAP_ID,
    MISSING_CONFIDENCE,
    NAME_LENGTH,
    NO_LABEL_ATTRIBUTES,
    NO_VALID_LABEL_ATTRIBUTES,
    expect_attribute_format,
    expect_unsupported_type,
    list_errors,
    read_valid_entry,
)
from tests.support.manifest_lines import (
    Json,
    make_box,
    make_box_line,
    make_class_line,
    make_class_metadata,
    make_job_line,
)


@pytest.mark.parametrize(
    "change",
    [
        *({"confidence": ...}, {"confidence": "1"}, {"confidence": True}, {"confidence": 1.01}),
        *({"human_annotated": ...}, {"human_annotated": "maybe"}, {"human_annotated": []}),
        *({"creation_date": ...}, {"creation_date": 7}),
    ],
)
def test_metadata_without_what_only_the_format_asks_is_an_error_and_keeps_the_label(
    change: Json,
) -> None:
    line = make_class_line() | {"scene0-metadata": make_class_metadata(**change)}
    assert list_errors(line) == {"/scene0-metadata": [METADATA_FORMAT]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == (("Sunrise",), True)


@pytest.mark.parametrize(
    "change", [{"class_name": ...}, {"class_name": 3}, {"type": ...}, {"type": []}]
)
def test_metadata_that_does_not_name_a_label_is_an_error_and_gives_none(change: Json) -> None:
    line = make_class_line() | {"scene0-metadata": make_class_metadata(**change)}
    assert list_errors(line) == {"/scene0-metadata": [METADATA_FORMAT]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == ((), True)


@pytest.mark.parametrize("metadata", [None, "x", 1, [], [make_class_metadata()]])
def test_metadata_that_is_no_object_is_told_at_the_root(metadata: Any) -> None:
    assert list_errors(make_class_line() | {"scene0-metadata": metadata}) == {"": [METADATA_FORMAT]}


def test_the_same_error_of_two_attributes_at_the_root_is_told_once() -> None:
    line = make_class_line("a", "b") | {"scene0-metadata": 1, "scene1-metadata": 2}
    assert list_errors(line) == {"": [METADATA_FORMAT]}


@pytest.mark.parametrize("value", [None, True, [], [0]])
def test_an_identifier_of_a_wrong_kind_is_told_at_the_root_with_the_name(value: Any) -> None:
    assert list_errors(make_class_line() | {"scene0": value}) == {
        "": [expect_attribute_format("scene0")]
    }


def test_an_attribute_that_is_an_object_carries_its_own_error() -> None:
    line = make_class_line() | {"scene0": {}}
    assert list_errors(line) == {"/scene0": [expect_attribute_format("scene0")]}
    assert not read_valid_entry(line).labeled


@pytest.mark.parametrize(
    "half",
    [
        {"scene": 0},
        {"scene": {"annotations": []}},
        {"scene": [1]},
        {"scene-metadata": make_class_metadata()},
        {"scene": 0, "scene-metdata": make_class_metadata()},
        {"scene": 0, "Scene-metadata": make_class_metadata()},
        *({"patient": "p3"}, {"checked": True}, {"note": None}, {"cl-metadata": {}, "scene": "0"}),
    ],
)
def test_members_without_an_attribute_are_an_error_at_the_root(half: Json) -> None:
    line = {"source-ref": "s3://b/k"} | half
    assert list_errors(line) == {"": [NO_LABEL_ATTRIBUTES]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == ((), False)


def test_an_unsupported_type_is_an_error_and_leaves_no_valid_attribute() -> None:
    line = make_box_line(make_box())
    line["BB-metadata"]["type"] = "groundtruth/wrongtype"
    assert list_errors(line) == {
        "/BB-metadata": [expect_unsupported_type("BB-metadata")],
        "": [NO_VALID_LABEL_ATTRIBUTES],
    }
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == ((), True)


def test_an_unsupported_type_beside_a_valid_attribute_is_an_error_of_its_own_metadata_only() -> (
    None
):
    mask = {
        "mask-ref": "s3://b/mask.png",
        "mask-ref-metadata": make_class_metadata(type="groundtruth/semantic-segmentation"),
    }
    line = make_class_line() | mask
    assert list_errors(line) == {
        "/mask-ref-metadata": [expect_unsupported_type("mask-ref-metadata")]
    }
    assert read_valid_entry(line).labels == ("Sunrise",)


@pytest.mark.parametrize(("name", "wrong"), [("", 1), ("x", 0), ("é" * 255, 0), ("é" * 256, 1)])
def test_a_label_has_1_to_255_characters(name: str, wrong: int) -> None:
    line = make_class_line(name)
    expected = {"/scene0-metadata": [NAME_LENGTH], "": [NO_VALID_LABEL_ATTRIBUTES]}
    assert list_errors(line) == (expected if wrong else {})
    boxes = make_box_line(make_box(0), make_box(1), names=(name, "Echo"))
    assert list_errors(boxes) == ({"/BB-metadata": [NAME_LENGTH]} if wrong else {})
    assert len(read_valid_entry(boxes).labels) == 2 - wrong


@pytest.mark.parametrize(
    ("ids", "change", "error"),
    [
        (3, {}, {"": [expect_attribute_format("animals")]}),
        ([None], {}, {"": [expect_attribute_format("animals")]}),
        ({"1": 1}, {}, {"/animals": [expect_attribute_format("animals")]}),
        ([1], {"class_map": ...}, {"/animals-metadata": [METADATA_FORMAT]}),
        ([1], {"class_map": ["cat"]}, {"/animals-metadata": [METADATA_FORMAT]}),
        ([1], {"confidence_map": ...}, {"/animals-metadata": [METADATA_FORMAT]}),
        ([1], {"confidence_map": {"0": 1}}, {"/animals-metadata": [METADATA_FORMAT]}),
        ([1], {"human_annotated": ...}, {"/animals-metadata": [METADATA_FORMAT]}),
        (
            [1, 5],
            {"confidence_map": {"1": 1, "5": 1}},
            {"/animals-metadata": [MISSING_CLASS_MAP_ID]},
        ),
        (
            [1],
            {"class_map": {"1": ""}},
            {"/animals-metadata": [NAME_LENGTH], "": [NO_VALID_LABEL_ATTRIBUTES]},
        ),
        ([1, 0], {"class_map": {"1": "", "0": "dog"}}, {"/animals-metadata": [NAME_LENGTH]}),
    ],
)
def test_the_raw_multi_label_job_form_is_checked(ids: Any, change: Json, error: Json) -> None:
    assert list_errors(make_job_line(ids, **change)) == error


def test_an_error_of_format_hides_the_other_errors_of_the_line() -> None:
    line = make_box_line(make_box(left=-1), make_box(9)) | make_class_line("x" * 300)
    line |= {"mask": 1, "mask-metadata": make_class_metadata(type="groundtruth/wrongtype")}
    assert list_errors(line) == {"/BB-metadata": [MISSING_CLASS_MAP_ID]}


def test_several_errors_of_format_are_told_together() -> None:
    line = make_box_line(make_box(9)) | make_class_line() | {"scene0-metadata": {}}
    line["BB-metadata"] |= {"objects": [], "creation-date": None}
    assert list_errors(line) == {
        "/BB-metadata": [METADATA_FORMAT, MISSING_CONFIDENCE, MISSING_CLASS_MAP_ID],
        "/scene0-metadata": [METADATA_FORMAT],
    }
