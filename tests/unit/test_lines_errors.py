"""The errors of a line: code, message, level and precedence, and which labels still count."""

import json
from typing import Any

import pytest
from twofold.manifest.lines import Entry, list_entry, read_entry

from tests.unit.any_lines import (
    Json,
    any_box,
    any_box_line,
    any_class,
    any_class_line,
    any_job_line,
    compact,
)

NO_LABEL_ATTRIBUTES = ("ERROR_NO_LABEL_ATTRIBUTES", "No label attributes found.")
METADATA_FORMAT = (
    "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT",
    "The format of the label attribute metadata is invalid.",
)
MISSING_CONFIDENCE = (
    "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE",
    "One or more bounding boxes has a missing confidence value.",
)
MISSING_CLASS_MAP_ID = (
    "ERROR_MISSING_CLASS_MAP_ID",
    "One of more class ids is missing from the class map.",
)
NO_VALID_LABEL_ATTRIBUTES = (
    "ERROR_NO_VALID_LABEL_ATTRIBUTES",
    "No valid label attributes found.",
)
INVALID_BOX = ("ERROR_INVALID_BOUNDING_BOX", "The bounding box has off frame values.")
TOO_SMALL = (
    "ERROR_BOUNDING_BOX_TOO_SMALL",
    "The height and width of the bounding box is too small.",
)
TOO_MANY = (
    "ERROR_TOO_MANY_BOUNDING_BOXES",
    "There are more bounding boxes than the allowed maximum.",
)
NO_VALID_ANNOTATIONS = ("ERROR_NO_VALID_ANNOTATIONS", "No valid annotations found.")
DIMENSION = (
    "ERROR_INVALID_IMAGE_DIMENSION",
    "The image dimension(s) do not conform to allowed dimensions.",
)
NAME_LENGTH = ("ERROR_INVALID_LABEL_NAME_LENGTH", "The length of the label name is invalid.")


def attribute_format(key: str) -> tuple[str, str]:
    return (
        "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT",
        f"The format of the label attribute {key} is invalid.",
    )


def unsupported(key: str) -> tuple[str, str]:
    return (
        "ERROR_UNSUPPORTED_USE_CASE_TYPE",
        f"The use case type of the {key} label attribute metadata is unsupported. "
        "Check the type field.",
    )


def told_in(value: Any, path: str = "") -> dict[str, list[tuple[str, str]]]:
    """Every `cl-errors` of a listed line, by the path of the object that holds it."""
    if not isinstance(value, dict | list):
        return {}
    found = {}
    if isinstance(value, dict) and "cl-errors" in value:
        assert all(list(error) == ["code", "message"] for error in value["cl-errors"])
        found[path] = [(error["code"], error["message"]) for error in value["cl-errors"]]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found |= told_in(item, f"{path}/{key}")
    return found


def errors_of(line: Json) -> dict[str, list[tuple[str, str]]]:
    errors = told_in(json.loads(list_entry(compact(line))))
    assert entry_of(line).has_errors is bool(errors)
    return errors


def entry_of(line: Json) -> Entry:
    entry = read_entry(compact(line))
    assert isinstance(entry, Entry)
    return entry


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
    ],
)
def test_half_an_attribute_is_an_error_at_the_root(half: Json) -> None:
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


@pytest.mark.parametrize(
    "change",
    [
        *({"image_size": ...}, {"image_size": {}}, {"image_size": []}, {"image_size": "640"}),
        {"image_size": [{"width": 640, "height": 480, "depth": 3}] * 2},
        {"image_size": [{"width": 640, "height": 480}]},
        {"image_size": [{"width": "640", "height": 480, "depth": 3}]},
        {"image_size": [{"width": True, "height": 480, "depth": 3}]},
        *({"annotations": ...}, {"annotations": {}}, {"annotations": None}, {"annotations": "ab"}),
        *({"annotations": [any_box(), None]}, {"annotations": [any_box(), "box"]}),
        *({"annotations": [any_box(top=...)]}, {"annotations": [any_box(top="1")]}),
        *({"annotations": [any_box(left=None)]}, {"annotations": [any_box(width=True)]}),
        *(
            {"annotations": [any_box(None)]},
            {"annotations": [any_box([])]},
            {"annotations": [any_box(True)]},
        ),
    ],
)
def test_an_attribute_of_boxes_in_a_wrong_format_is_an_error_and_gives_no_labels(
    change: Json,
) -> None:
    line = any_box_line(any_box(), any_box())
    for key, value in change.items():
        if value is ...:
            del line["BB"][key]
        else:
            line["BB"][key] = value
    assert errors_of(line) == {"/BB": [attribute_format("BB")]}
    assert entry_of(line).labels == ()


@pytest.mark.parametrize("value", [0, "0", None, []])
def test_boxes_that_are_no_object_are_told_at_the_root(value: Any) -> None:
    assert errors_of(any_box_line() | {"BB": value}) == {"": [attribute_format("BB")]}


@pytest.mark.parametrize("class_map", [..., None, [], "Echo", {"0": 1}, {"0": "Echo", "1": None}])
def test_a_class_map_of_a_wrong_kind_is_an_error_of_the_metadata(class_map: Any) -> None:
    line = any_box_line(any_box())
    if class_map is ...:
        del line["BB-metadata"]["class-map"]
    else:
        line["BB-metadata"]["class-map"] = class_map
    assert errors_of(line) == {"/BB-metadata": [METADATA_FORMAT]}
    assert (entry_of(line).labels, entry_of(line).labeled) == ((), True)


@pytest.mark.parametrize("lost", ["objects", "human-annotated", "creation-date"])
def test_boxes_keep_their_labels_when_metadata_lacks_what_only_the_format_asks(lost: str) -> None:
    line = any_box_line(any_box())
    del line["BB-metadata"][lost]
    assert errors_of(line) == {"/BB-metadata": [METADATA_FORMAT]}
    assert entry_of(line).labels == ("Echo",)


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [{"confidence": 1}],
        [{"confidence": 1}, {}],
        [{"confidence": "1"}] * 2,
        [1, 2],
        ["a", "b"],
    ],
)
def test_a_box_without_confidence_is_an_error_and_keeps_its_label(objects: list[Any]) -> None:
    line = any_box_line(any_box(), any_box())
    line["BB-metadata"]["objects"] = objects
    assert errors_of(line) == {"/BB-metadata": [MISSING_CONFIDENCE]}
    assert entry_of(line).boxes == (2,)


def test_a_box_whose_class_is_unknown_is_an_error_and_does_not_count() -> None:
    line = any_box_line(any_box(0), any_box(7), any_box(8))
    assert errors_of(line) == {"/BB-metadata": [MISSING_CLASS_MAP_ID]}
    assert (entry_of(line).labels, entry_of(line).boxes) == (("Echo",), (1,))


@pytest.mark.parametrize("class_id", [1, "1"])
def test_a_class_id_may_be_spelled_as_text(class_id: Any) -> None:
    line = any_box_line(any_box(class_id))
    assert errors_of(line) == {}
    assert entry_of(line).labels == ("Echo Dot",)


@pytest.mark.parametrize(
    "box",
    [
        *(any_box(left=-1), any_box(top=-0.01), any_box(left=421), any_box(top=147)),
        *(any_box(width=555), any_box(height=1e300), any_box(width=-5), any_box(height=-0.5)),
        any_box(left=700, width=0),
    ],
)
def test_a_box_off_the_frame_is_told_in_the_box_and_the_others_count(box: Json) -> None:
    line = any_box_line(any_box(0), box)
    assert errors_of(line) == {"/BB/annotations/1": [INVALID_BOX]}
    assert entry_of(line).boxes == (1,)


@pytest.mark.parametrize(
    "box", [any_box(left=420), any_box(left=420.04), any_box(left=0, top=0, width=640, height=480)]
)
def test_a_box_that_touches_the_frame_but_for_rounding_is_sound(box: Json) -> None:
    assert errors_of(any_box_line(box)) == {}


@pytest.mark.parametrize(
    "box", [any_box(width=0, height=0), any_box(width=1), any_box(height=0.4), any_box(height=1)]
)
def test_a_box_of_a_pixel_or_less_is_told_in_the_box(box: Json) -> None:
    line = any_box_line(box, any_box(1))
    assert errors_of(line) == {"/BB/annotations/0": [TOO_SMALL]}
    assert entry_of(line).labels == ("Echo Dot",)


@pytest.mark.parametrize(("side", "errors"), [(2, 1), (2.5, 1), (2.6, 0), (3, 0)])
def test_a_box_must_be_larger_than_a_pixel_of_the_image_as_it_is_trained(
    side: float, errors: int
) -> None:
    line = any_box_line(any_box(width=side))
    line["BB"]["image_size"][0] |= {"width": 640, "height": 3200}
    assert (
        len(told_in(json.loads(list_entry(compact(line)))).get("/BB/annotations/0", [])) == errors
    )


def test_when_no_box_is_sound_the_root_says_so() -> None:
    line = any_box_line(any_box(left=-1), any_box(width=0))
    assert errors_of(line) == {
        "/BB/annotations/0": [INVALID_BOX],
        "/BB/annotations/1": [TOO_SMALL],
        "": [NO_VALID_ANNOTATIONS],
    }
    assert (entry_of(line).labels, entry_of(line).labeled) == ((), True)


def test_unsound_boxes_beside_an_image_level_label_leave_the_root_alone() -> None:
    line = any_box_line(any_box(left=-1)) | any_class_line()
    assert errors_of(line) == {"/BB/annotations/0": [INVALID_BOX]}


@pytest.mark.parametrize(
    ("width", "height", "wrong"), [(64, 4096, 0), (63, 100, 1), (4097, 100, 1), (100, 63.5, 1)]
)
def test_the_size_of_an_image_is_checked_where_it_has_boxes(
    width: float, height: float, wrong: int
) -> None:
    line = any_box_line(any_box(left=0, top=0, width=20, height=20))
    line["BB"]["image_size"] = [{"width": width, "height": height, "depth": 3}]
    assert errors_of(line) == ({"/BB": [DIMENSION]} if wrong else {})
    assert entry_of(line).labels == ("Echo",)


def test_the_size_of_an_image_without_boxes_is_not_checked() -> None:
    line = any_box_line()
    line["BB"]["image_size"] = [{"width": 1, "height": 1, "depth": 3}]
    assert errors_of(line) == {}


def test_fifty_boxes_are_allowed_and_the_rest_do_not_count() -> None:
    assert errors_of(any_box_line(*[any_box()] * 50)) == {}
    line = any_box_line(*[any_box(0)] * 50, any_box(1))
    assert errors_of(line) == {"/BB": [TOO_MANY]}
    assert (entry_of(line).labels, entry_of(line).boxes) == (("Echo",), (50,))


def test_fifty_boxes_are_allowed_in_an_image_not_in_an_attribute() -> None:
    line = any_box_line(*[any_box()] * 30) | any_box_line(*[any_box()] * 21, key="more")
    assert errors_of(line) == {"/more": [TOO_MANY]}
    assert entry_of(line).boxes == (50,)


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
