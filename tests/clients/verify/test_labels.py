"""The verifier and the service read the same labels at the limits of numbers, which random lines rarely reach."""

from typing import Any

import pytest

from tests.support.manifest_lines import make_box, make_box_line, make_job_line, serialize_compactly
from twofold.manifest.line.entry import Entry, read_entry
from twofold_verify.labels import read_labels
from twofold_verify.strict_json import parse_json

WIDTH, HEIGHT = 640, 480
"""The frame of `any_box_line`."""


def count_labels(line: dict[str, Any]) -> dict[str, int]:
    """Returns the number of boxes by label, which must be the same in both."""
    entry, text = read_entry(serialize_compactly(line)), serialize_compactly(line)
    assert isinstance(entry, Entry)
    labels = read_labels(parse_json(text))
    assert labels == dict(zip(entry.labels, entry.boxes, strict=True))
    return labels


@pytest.mark.parametrize(
    ("sides", "counts"),
    [
        ({"left": 0, "top": 0, "width": WIDTH, "height": HEIGHT}, True),
        ({"left": 600, "width": 40.05}, True),
        ({"left": 600, "width": 40.06}, False),
        ({"left": 700, "width": 2}, False),
        ({"left": 0}, True),
        ({"left": -0.01}, False),
        ({"top": 400, "height": 80.05}, True),
        ({"top": 400, "height": 80.06}, False),
        ({"top": 500, "height": 2}, False),
        ({"top": 0}, True),
        ({"top": -0.01}, False),
        ({"width": 1}, False),
        ({"width": 1.01}, True),
        ({"width": -5}, False),
        ({"height": 1}, False),
        ({"height": 1.01}, True),
        ({"height": -5}, False),
    ],
    ids=str,
)
def test_a_box_counts_if_it_is_within_its_frame_and_larger_than_a_pixel(
    sides: dict[str, Any], counts: bool
) -> None:
    assert count_labels(make_box_line(make_box(0, **sides))) == ({"Echo": 1} if counts else {})


@pytest.mark.parametrize("side", ["width", "height"])
@pytest.mark.parametrize(("length", "counts"), [(3, False), (3.01, True), (2, False)])
def test_a_box_of_a_large_image_counts_if_a_pixel_is_left_in_training(
    side: str, length: float, counts: bool
) -> None:
    line = make_box_line(make_box(0, **{side: length}))
    line["BB"]["image_size"][0][side] = 3 * 1280
    assert count_labels(line) == ({"Echo": 1} if counts else {})


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        (0, True),
        (-1, True),
        (-(1 << 63), True),
        (-(1 << 63) - 1, False),
        ((1 << 64) - 1, True),
        (1 << 64, False),
        (1.0, False),
        (True, False),
    ],
)
def test_a_class_id_is_text_or_an_integer_of_64_bits(number: Any, whole: bool) -> None:
    names = {str(number): "big", "0": "dog"}
    line = make_job_line([number], class_map=names)
    assert set(count_labels(line)) == ({names[str(number)]} if whole else set())
    boxed = make_box_line(make_box(number))
    boxed["BB-metadata"]["class-map"] = names
    assert set(count_labels(boxed)) == ({names[str(number)]} if whole else set())
