"""The errors of a line: code, message, level and precedence, and which labels still count."""

from typing import Any

import pytest

from tests.unit.any_lines import (
    Json,
    any_box,
    any_box_line,
    any_class,
    any_class_line,
    any_job_line,
)
from tests.unit.line_reading import (
    METADATA_FORMAT,
    MISSING_CLASS_MAP_ID,
    MISSING_CONFIDENCE,
    NAME_LENGTH,
    NO_LABEL_ATTRIBUTES,
    NO_VALID_LABEL_ATTRIBUTES,
    attribute_format,
    entry_of,
    errors_of,
    unsupported,
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
    line = any_class_line() | {"scene0-metadata": any_class(**change)}
    assert errors_of(line) == {"/scene0-metadata": [METADATA_FORMAT]}
    assert (entry_of(line).labels, entry_of(line).labeled) == (("Sunrise",), True)


@pytest.mark.parametrize(
    "change", [{"class_name": ...}, {"class_name": 3}, {"type": ...}, {"type": []}]
)
def test_metadata_that_does_not_name_a_label_is_an_error_and_gives_none(change: Json) -> None:
    line = any_class_line() | {"scene0-metadata": any_class(**change)}
    assert errors_of(line) == {"/scene0-metadata": [METADATA_FORMAT]}
    assert (entry_of(line).labels, entry_of(line).labeled) == ((), True)


@pytest.mark.parametrize("metadata", [None, "x", 1, [], [any_class()]])
def test_metadata_that_is_no_object_is_told_at_the_root(metadata: Any) -> None:
    assert errors_of(any_class_line() | {"scene0-metadata": metadata}) == {"": [METADATA_FORMAT]}


def test_the_same_error_of_two_attributes_at_the_root_is_told_once() -> None:
    line = any_class_line("a", "b") | {"scene0-metadata": 1, "scene1-metadata": 2}
    assert errors_of(line) == {"": [METADATA_FORMAT]}


@pytest.mark.parametrize("value", [None, True, [], [0]])
def test_an_identifier_of_a_wrong_kind_is_told_at_the_root_with_the_name(value: Any) -> None:
    assert errors_of(any_class_line() | {"scene0": value}) == {"": [attribute_format("scene0")]}


def test_an_attribute_that_is_an_object_carries_its_own_error() -> None:
    line = any_class_line() | {"scene0": {}}
    assert errors_of(line) == {"/scene0": [attribute_format("scene0")]}
    assert not entry_of(line).labeled


@pytest.mark.parametrize(
    "half",
    [
        {"scene": 0},
        {"scene": {"annotations": []}},
        {"scene": [1]},
        {"scene-metadata": any_class()},
        {"scene": 0, "scene-metdata": any_class()},
        {"scene": 0, "Scene-metadata": any_class()},
        *({"patient": "p3"}, {"checked": True}, {"note": None}, {"cl-metadata": {}, "scene": "0"}),
    ],
)
def test_members_without_an_attribute_are_an_error_at_the_root(half: Json) -> None:
    line = {"source-ref": "s3://b/k"} | half
    assert errors_of(line) == {"": [NO_LABEL_ATTRIBUTES]}
    assert (entry_of(line).labels, entry_of(line).labeled) == ((), False)


def test_an_unsupported_type_is_an_error_and_leaves_no_valid_attribute() -> None:
    line = any_box_line(any_box())
    line["BB-metadata"]["type"] = "groundtruth/wrongtype"
    assert errors_of(line) == {
        "/BB-metadata": [unsupported("BB-metadata")],
        "": [NO_VALID_LABEL_ATTRIBUTES],
    }
    assert (entry_of(line).labels, entry_of(line).labeled) == ((), True)


def test_an_unsupported_type_beside_a_valid_attribute_is_an_error_of_its_own_metadata_only() -> (
    None
):
    mask = {
        "mask-ref": "s3://b/mask.png",
        "mask-ref-metadata": any_class(type="groundtruth/semantic-segmentation"),
    }
    line = any_class_line() | mask
    assert errors_of(line) == {"/mask-ref-metadata": [unsupported("mask-ref-metadata")]}
    assert entry_of(line).labels == ("Sunrise",)


@pytest.mark.parametrize(("name", "wrong"), [("", 1), ("x", 0), ("é" * 255, 0), ("é" * 256, 1)])
def test_a_label_has_1_to_255_characters(name: str, wrong: int) -> None:
    line = any_class_line(name)
    expected = {"/scene0-metadata": [NAME_LENGTH], "": [NO_VALID_LABEL_ATTRIBUTES]}
    assert errors_of(line) == (expected if wrong else {})
    boxes = any_box_line(any_box(0), any_box(1), names=(name, "Echo"))
    assert errors_of(boxes) == ({"/BB-metadata": [NAME_LENGTH]} if wrong else {})
    assert len(entry_of(boxes).labels) == 2 - wrong


@pytest.mark.parametrize(
    ("ids", "change", "error"),
    [
        (3, {}, {"": [attribute_format("animals")]}),
        ([None], {}, {"": [attribute_format("animals")]}),
        ({"1": 1}, {}, {"/animals": [attribute_format("animals")]}),
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
    assert errors_of(any_job_line(ids, **change)) == error


def test_an_error_of_format_hides_the_other_errors_of_the_line() -> None:
    line = any_box_line(any_box(left=-1), any_box(9)) | any_class_line("x" * 300)
    line |= {"mask": 1, "mask-metadata": any_class(type="groundtruth/wrongtype")}
    assert errors_of(line) == {"/BB-metadata": [MISSING_CLASS_MAP_ID]}


def test_several_errors_of_format_are_told_together() -> None:
    line = any_box_line(any_box(9)) | any_class_line() | {"scene0-metadata": {}}
    line["BB-metadata"] |= {"objects": [], "creation-date": None}
    assert errors_of(line) == {
        "/BB-metadata": [METADATA_FORMAT, MISSING_CONFIDENCE, MISSING_CLASS_MAP_ID],
        "/scene0-metadata": [METADATA_FORMAT],
    }
