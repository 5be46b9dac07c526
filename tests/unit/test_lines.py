"""What labels a line holds."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.unit.line_reading import (
    entry_of,
)
from twofold.manifest.lines import (
    Entry,
    Rejection,
    list_entry,
    read_entry,
)


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


def manifest_lines() -> list[bytes]:
    """Lines of each kind, and those of the manifests in the folder TWOFOLD_MANIFESTS, if it is set."""
    found = [any_class_line("a", "b"), any_box_line(any_box(), any_box(width=0)), any_job_line([1])]
    lines = [compact(line) for line in (*found, {"source": "text without an image"})]
    folder = os.environ.get("TWOFOLD_MANIFESTS")
    paths = sorted(Path(folder).glob("*.manifest")) if folder else []
    assert paths or not folder, f"TWOFOLD_MANIFESTS={folder} holds no *.manifest."
    return lines + [line for path in paths for line in path.read_bytes().splitlines()]


def test_manifests_lose_only_lines_without_an_image_and_list_every_error() -> None:
    for line in manifest_lines():
        entry = read_entry(line)
        assert isinstance(entry, Entry) is ("source-ref" in json.loads(line)), line
        if isinstance(entry, Entry):
            assert ('"cl-errors"' in list_entry(line)) is entry.has_errors, line
