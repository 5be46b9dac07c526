"""The labels and boxes of a line."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.manifest.line.expected_errors import (
    read_valid_entry,
)
from tests.support.manifest_lines import (
    Json,
    draw_document,
    lines,
    make_box,
    make_box_line,
    make_class_line,
    make_class_metadata,
    make_job_line,
    seeds,
    serialize_compactly,
)
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.errors import Rejection
from twofold.manifest.line.listing import add_service_members


def test_an_image_level_label_has_no_boxes() -> None:
    assert read_valid_entry(make_class_line("Echo Dot")) == Entry(
        "s3://bucket/images/sunrise.png", ("Echo Dot",), (0,), labeled=True, has_errors=False
    )


def test_several_attributes_give_their_labels_in_order_and_once() -> None:
    entry = read_valid_entry(make_class_line("football", "ball", "football"))
    assert (entry.labels, entry.boxes) == (("football", "ball"), (0, 0))


def test_boxes_are_counted_by_label_in_order_of_appearance() -> None:
    entry = read_valid_entry(make_box_line(make_box(1), make_box(0), make_box(1)))
    assert (entry.labels, entry.boxes) == (("Echo Dot", "Echo"), (2, 1))


def test_class_ids_mean_what_their_own_line_says() -> None:
    line = make_box_line(make_box(40))
    line["BB-metadata"]["class-map"] = {"40": "cat", "7": "never used"}
    assert read_valid_entry(line).labels == ("cat",)


def test_both_kinds_of_label_may_share_a_line_and_a_name() -> None:
    line = make_class_line("Echo") | make_box_line(make_box(0), make_box(0))
    entry = read_valid_entry(line)
    assert (entry.labels, entry.boxes, entry.has_errors) == (("Echo",), (2,), False)


@pytest.mark.parametrize("ids", [[1, 0, 8], ["1", "0", "8"], [1, 0, 8, 1]])
def test_the_raw_multi_label_job_form_gives_its_labels(ids: list[Any]) -> None:
    entry = read_valid_entry(make_job_line(ids))
    assert (entry.labels, entry.boxes, entry.has_errors) == (
        ("cat", "dog", "bird"),
        (0, 0, 0),
        False,
    )


def test_the_converted_multi_label_form_gives_its_label() -> None:
    metadata = make_class_metadata("cat", type="groundtruth/image-classification-multilabel")
    entry = read_valid_entry(
        {"source-ref": "s3://b/k", "animals0": 0, "animals0-metadata": metadata}
    )
    assert (entry.labels, entry.has_errors) == (("cat",), False)


@pytest.mark.parametrize(
    "line",
    [
        {"source-ref": "s3://b/k"},
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
        make_box_line(),
        make_box_line(names=()),
        make_job_line([]),
        {
            "source-ref": "s3://b/k",
            "rekognition-custom-labels-evaluation-0": 1,
            "rekognition-custom-labels-evaluation-0-metadata": make_class_metadata("predicted"),
        },
    ],
)
def test_an_image_without_annotations_is_unlabelled_and_no_error(line: Json) -> None:
    entry = read_valid_entry(line)
    assert (entry.labels, entry.labeled, entry.has_errors) == ((), False, False)


def test_text_beside_an_attribute_needs_no_metadata() -> None:
    entry = read_valid_entry(
        make_class_line() | {"color": "blue", "object": "box", "weight": 3, "id": [1]}
    )
    assert (entry.labels, entry.has_errors) == (("Sunrise",), False)


def test_a_prediction_beside_the_truth_does_not_count() -> None:
    prediction = make_class_metadata("Moonrise", human_annotated="no")
    key = "rekognition-custom-labels-evaluation-0"
    assert read_valid_entry(make_class_line() | {key: 1, f"{key}-metadata": prediction}).labels == (
        "Sunrise",
    )


@pytest.mark.parametrize("value", ["0", 0, -3, 10**20, 1.0])
def test_the_identifier_of_an_image_level_label_may_be_any_number_or_text(value: Any) -> None:
    assert not read_valid_entry(make_class_line() | {"scene0": value}).has_errors


def test_job_name_is_optional_and_dates_have_any_form() -> None:
    metadata = make_class_metadata(job_name=..., creation_date="2013-11-18 02:53:27")
    assert not read_valid_entry(make_class_line() | {"scene0-metadata": metadata}).has_errors


def test_key_order_and_white_space_do_not_matter() -> None:
    line = make_box_line(make_box(0), make_box(1))
    backwards = dict(reversed([*line.items()]))
    text = "\t" + json.dumps(backwards).replace('": ', '"\t: ') + " \r"
    assert read_entry(text.encode()) == read_valid_entry(line)


def test_labels_are_unicode() -> None:
    name = "Größe 日本 \U0001f600 \u2028"
    for ascii_only in (True, False):
        text = json.dumps(make_class_line(name), ensure_ascii=ascii_only)
        entry = read_entry(text.encode())
        assert isinstance(entry, Entry)
        assert entry.labels == (name,)


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
@given(draw_document(), seeds)
def test_the_order_of_keys_changes_nothing_but_the_order_of_labels(line: Json, seed: int) -> None:
    keys = list(line)
    Random(seed).shuffle(keys)
    entry, shuffled = read_valid_entry(line), read_valid_entry({key: line[key] for key in keys})
    assert dict(zip(entry.labels, entry.boxes, strict=True)) == dict(
        zip(shuffled.labels, shuffled.boxes, strict=True)
    )
    assert (entry.labeled, entry.has_errors) == (shuffled.labeled, shuffled.has_errors)


def load_manifest_lines() -> list[bytes]:
    """Return lines of each type, and the lines of manifests in the folder TWOFOLD_MANIFESTS if the variable is set."""
    documents = [
        make_class_line("a", "b"),
        make_box_line(make_box(), make_box(width=0)),
        make_job_line([1]),
    ]
    lines = [
        serialize_compactly(line) for line in (*documents, {"source": "text without an image"})
    ]
    folder = os.environ.get("TWOFOLD_MANIFESTS")
    paths = sorted(Path(folder).glob("*.manifest")) if folder else []
    assert paths or not folder, f"TWOFOLD_MANIFESTS={folder} holds no *.manifest."
    return lines + [line for path in paths for line in path.read_bytes().splitlines()]


def test_manifests_lose_only_lines_without_an_image_and_list_every_error() -> None:
    for line in load_manifest_lines():
        entry = read_entry(line)
        assert isinstance(entry, Entry) is ("source-ref" in json.loads(line)), line
        if isinstance(entry, Entry):
            assert ('"cl-errors"' in add_service_members(line)) is entry.has_errors, line
