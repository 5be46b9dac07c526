"""The rules for bounding boxes: code, message and level of errors, and the boxes that still count."""

import json
from typing import Any

import pytest

from tests.manifest.line.expected_errors import (
    DIMENSION,
    INVALID_BOX,
    METADATA_FORMAT,
    MISSING_CLASS_MAP_ID,
    MISSING_CONFIDENCE,
    NO_VALID_ANNOTATIONS,
    TOO_MANY,
    TOO_SMALL,
    collect_errors,
    expect_attribute_format,
    list_errors,
    read_valid_entry,
)
from tests.support.manifest_lines import (
    Json,
    make_box,
    make_box_line,
    make_class_line,
    serialize_compactly,
)
from twofold.manifest.line.listing import add_service_members


@pytest.mark.parametrize(
    "change",
    [
        *({"image_size": ...}, {"image_size": {}}, {"image_size": []}, {"image_size": "640"}),
        {"image_size": [{"width": 640, "height": 480, "depth": 3}] * 2},
        {"image_size": [{"width": 640, "height": 480}]},
        {"image_size": [{"width": "640", "height": 480, "depth": 3}]},
        {"image_size": [{"width": True, "height": 480, "depth": 3}]},
        *({"annotations": ...}, {"annotations": {}}, {"annotations": None}, {"annotations": "ab"}),
        *({"annotations": [make_box(), None]}, {"annotations": [make_box(), "box"]}),
        *({"annotations": [make_box(top=...)]}, {"annotations": [make_box(top="1")]}),
        *({"annotations": [make_box(left=None)]}, {"annotations": [make_box(width=True)]}),
        *(
            {"annotations": [make_box(None)]},
            {"annotations": [make_box([])]},
            {"annotations": [make_box(True)]},
        ),
    ],
)
def test_an_attribute_of_boxes_in_a_wrong_format_is_an_error_and_gives_no_labels(
    change: Json,
) -> None:
    line = make_box_line(make_box(), make_box())
    for key, value in change.items():
        if value is ...:
            del line["BB"][key]
        else:
            line["BB"][key] = value
    assert list_errors(line) == {"/BB": [expect_attribute_format("BB")]}
    assert read_valid_entry(line).labels == ()


@pytest.mark.parametrize("value", [0, "0", None, []])
def test_boxes_that_are_no_object_are_told_at_the_root(value: Any) -> None:
    assert list_errors(make_box_line() | {"BB": value}) == {"": [expect_attribute_format("BB")]}


@pytest.mark.parametrize("class_map", [..., None, [], "Echo", {"0": 1}, {"0": "Echo", "1": None}])
def test_a_class_map_of_a_wrong_kind_is_an_error_of_the_metadata(class_map: Any) -> None:
    line = make_box_line(make_box())
    if class_map is ...:
        del line["BB-metadata"]["class-map"]
    else:
        line["BB-metadata"]["class-map"] = class_map
    assert list_errors(line) == {"/BB-metadata": [METADATA_FORMAT]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == ((), True)


@pytest.mark.parametrize("lost", ["objects", "human-annotated", "creation-date"])
def test_boxes_keep_their_labels_when_metadata_lacks_what_only_the_format_asks(lost: str) -> None:
    line = make_box_line(make_box())
    del line["BB-metadata"][lost]
    assert list_errors(line) == {"/BB-metadata": [METADATA_FORMAT]}
    assert read_valid_entry(line).labels == ("Echo",)


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
    line = make_box_line(make_box(), make_box())
    line["BB-metadata"]["objects"] = objects
    assert list_errors(line) == {"/BB-metadata": [MISSING_CONFIDENCE]}
    assert read_valid_entry(line).boxes == (2,)


def test_a_box_whose_class_is_unknown_is_an_error_and_does_not_count() -> None:
    line = make_box_line(make_box(0), make_box(7), make_box(8))
    assert list_errors(line) == {"/BB-metadata": [MISSING_CLASS_MAP_ID]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).boxes) == (("Echo",), (1,))


@pytest.mark.parametrize("class_id", [1, "1"])
def test_a_class_id_may_be_spelled_as_text(class_id: Any) -> None:
    line = make_box_line(make_box(class_id))
    assert list_errors(line) == {}
    assert read_valid_entry(line).labels == ("Echo Dot",)


@pytest.mark.parametrize(
    "box",
    [
        *(make_box(left=-1), make_box(top=-0.01), make_box(left=421), make_box(top=147)),
        *(make_box(width=555), make_box(height=1e300), make_box(width=-5), make_box(height=-0.5)),
        make_box(left=700, width=0),
    ],
)
def test_a_box_off_the_frame_is_told_in_the_box_and_the_others_count(box: Json) -> None:
    line = make_box_line(make_box(0), box)
    assert list_errors(line) == {"/BB/annotations/1": [INVALID_BOX]}
    assert read_valid_entry(line).boxes == (1,)


@pytest.mark.parametrize(
    "box",
    [make_box(left=420), make_box(left=420.04), make_box(left=0, top=0, width=640, height=480)],
)
def test_a_box_that_touches_the_frame_but_for_rounding_is_sound(box: Json) -> None:
    assert list_errors(make_box_line(box)) == {}


@pytest.mark.parametrize(
    "box",
    [make_box(width=0, height=0), make_box(width=1), make_box(height=0.4), make_box(height=1)],
)
def test_a_box_of_a_pixel_or_less_is_told_in_the_box(box: Json) -> None:
    line = make_box_line(box, make_box(1))
    assert list_errors(line) == {"/BB/annotations/0": [TOO_SMALL]}
    assert read_valid_entry(line).labels == ("Echo Dot",)


@pytest.mark.parametrize(("side", "errors"), [(2, 1), (2.5, 1), (2.6, 0), (3, 0)])
def test_a_box_must_be_larger_than_a_pixel_of_the_image_as_it_is_trained(
    side: float, errors: int
) -> None:
    line = make_box_line(make_box(width=side))
    line["BB"]["image_size"][0] |= {"width": 640, "height": 3200}
    assert (
        len(
            collect_errors(json.loads(add_service_members(serialize_compactly(line)))).get(
                "/BB/annotations/0", []
            )
        )
        == errors
    )


def test_when_no_box_is_sound_the_root_says_so() -> None:
    line = make_box_line(make_box(left=-1), make_box(width=0))
    assert list_errors(line) == {
        "/BB/annotations/0": [INVALID_BOX],
        "/BB/annotations/1": [TOO_SMALL],
        "": [NO_VALID_ANNOTATIONS],
    }
    assert (read_valid_entry(line).labels, read_valid_entry(line).labeled) == ((), True)


def test_unsound_boxes_beside_an_image_level_label_leave_the_root_alone() -> None:
    line = make_box_line(make_box(left=-1)) | make_class_line()
    assert list_errors(line) == {"/BB/annotations/0": [INVALID_BOX]}


@pytest.mark.parametrize(
    ("width", "height", "wrong"), [(64, 4096, 0), (63, 100, 1), (4097, 100, 1), (100, 63.5, 1)]
)
def test_the_size_of_an_image_is_checked_where_it_has_boxes(
    width: float, height: float, wrong: int
) -> None:
    line = make_box_line(make_box(left=0, top=0, width=20, height=20))
    line["BB"]["image_size"] = [{"width": width, "height": height, "depth": 3}]
    assert list_errors(line) == ({"/BB": [DIMENSION]} if wrong else {})
    assert read_valid_entry(line).labels == ("Echo",)


def test_the_size_of_an_image_without_boxes_is_not_checked() -> None:
    line = make_box_line()
    line["BB"]["image_size"] = [{"width": 1, "height": 1, "depth": 3}]
    assert list_errors(line) == {}


def test_fifty_boxes_are_allowed_and_the_rest_do_not_count() -> None:
    assert list_errors(make_box_line(*[make_box()] * 50)) == {}
    line = make_box_line(*[make_box(0)] * 50, make_box(1))
    assert list_errors(line) == {"/BB": [TOO_MANY]}
    assert (read_valid_entry(line).labels, read_valid_entry(line).boxes) == (("Echo",), (50,))


def test_fifty_boxes_are_allowed_in_an_image_not_in_an_attribute() -> None:
    line = make_box_line(*[make_box()] * 30) | make_box_line(*[make_box()] * 21, key="more")
    assert list_errors(line) == {"/more": [TOO_MANY]}
    assert read_valid_entry(line).boxes == (50,)
