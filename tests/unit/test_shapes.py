"""Lines like others are read by their shape; what is found must be what the rules find."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import Mock

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
    boxes,
    compact,
    documents,
    seeds,
    values,
    written,
)
from twofold.manifest import document, pieces, shapes
from twofold.manifest.pieces import OPENING_LINES, Piece, index_lines

PLAIN = any_box_line(any_box(0), any_box(1), any_box(0))
TWO_CLASSES = any_class_line("owl", "emu")
BARE: Json = {"source-ref": "s3://bucket/bare.png"}
BASES = [
    PLAIN,
    any_class_line("owl"),
    TWO_CLASSES,
    any_class_line("owl") | {"note": "x", "n": 1.5},
    BARE,
]


def by_rules(lines: list[bytes]) -> Piece:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "MAX_LESSONS", 0)
        return index_lines(enumerate(lines))


def after(base: Json, *lines: bytes) -> list[bytes]:
    """So many lines of a form that it is learned, and then these."""
    return [compact(base)] * OPENING_LINES + list(lines)


def same(lines: list[bytes]) -> bool:
    return index_lines(enumerate(lines)).encode() == by_rules(lines).encode()


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Tells how many lines the rules have read."""
    read = Mock(wraps=document.parse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "parse", read)
        yield lambda: read.call_count


@pytest.mark.parametrize(
    "base", BASES, ids=["boxes", "class", "classes", "more members", "no label"]
)
def test_only_the_first_lines_are_read_by_the_rules(base: Json) -> None:
    with counted() as rules:
        index_lines(enumerate(after(base, *[compact(base)] * 1000)))
        assert rules() == OPENING_LINES


def test_lines_of_several_forms_are_all_learned() -> None:
    other = any_box_line(any_box(1), key="other")
    lines = [compact(line) for line in (*BASES, other)] * 500
    with counted() as rules:
        index_lines(enumerate(lines))
        assert rules() == OPENING_LINES
    assert same(lines)


def test_attributes_that_are_named_after_labels_are_all_read_alike() -> None:
    lines = [
        compact(
            {"source-ref": f"s3://bucket/{n}", f"k{n}": 1, f"k{n}-metadata": any_class(f"k{n}")}
        )
        for n in range(500)
    ]
    with counted() as rules:
        index_lines(enumerate(lines))
        assert rules() == OPENING_LINES
    assert same(lines)


def test_lines_that_are_never_alike_are_left_to_the_rules() -> None:
    lines = [compact(any_box_line(any_box(0), key=f"k{number}")) for number in range(500)]
    with counted() as rules:
        index_lines(enumerate(lines))
        assert rules() == len(lines)
    assert same(lines)


def altered(change: Callable[[Json], object], base: Json = PLAIN) -> bytes:
    line = json.loads(json.dumps(base))
    change(line)
    return compact(line)


def _box(**changes: object) -> bytes:
    return altered(lambda line: line["BB"]["annotations"][1].update(changes))


def _size(**changes: object) -> bytes:
    return altered(lambda line: line["BB"]["image_size"][0].update(changes))


def _metadata(**changes: object) -> bytes:
    return altered(
        lambda line: line["BB-metadata"].update(
            {key.replace("_", "-"): value for key, value in changes.items()}
        )
    )


TRAPS = {
    "a repeated key": compact(PLAIN)[:-1] + b',"BB":0}',
    "a repeated key of a box": compact(PLAIN).replace(b'"top":', b'"top":1,"top":', 1),
    "a repeated class": compact(PLAIN).replace(b'"0":', b'"0":"x","0":', 1),
    "a repeated source-ref": compact(PLAIN)[:-1] + b',"source-ref":"s3://bucket/other"}',
    "an escape": compact(PLAIN).replace(b"my job", b"my\\u0020job"),
    "an escape that hides a repeated key": compact(PLAIN).replace(b"my job", b'\\"').replace(b'"top":', b'"top":1,"top":', 1),
    "minus zero": compact(PLAIN).replace(b'"0":"Echo"', b'"-0":"Echo"'),
    "minus zero beside zero": compact(PLAIN).replace(b'"0":"Echo"', b'"-0":"x","0":"Echo"'),
    "a label that ends with minus zero": compact(PLAIN).replace(b'"Echo"', b'"Echo-0"'),
    "a class id with a fraction": _box(class_id=1.0),
    "a negative class id": _box(class_id=-1),
    "a class id of 20 digits": compact(PLAIN).replace(b'"class_id":1', b'"class_id":18446744073709551616'),
    "a class id as text": _box(class_id="1"),
    "a truth for a class id": _box(class_id=True),
    "a class that is not in the map": _box(class_id=7),
    "a member of a box": _box(note=1),
    "a box that touches the edge": _box(left=640 - 220, top=480 - 334),
    "a box that is a rounding over the edge": _box(left=640 - 220 + 0.05),
    "a box over the edge": _box(left=640 - 220 + 0.06),
    "a box under the edge": _box(top=480 - 334 + 1),
    "a box left of the image": _box(left=-1),
    "a box above the image": _box(top=-0.5),
    "minus nothing": _box(top=-0.0),
    "a box of one pixel": _box(width=1),
    "a box of a little more than a pixel": _box(height=1.001),
    "a box without height": _box(height=0),
    "a box of text": _box(width="220"),
    "a box of nothing": _box(width=None),
    "a small image": _size(width=63, height=700),
    "a large image": _size(width=4097),
    "the largest image": _size(width=4096, height=4096),
    "an image that is larger in training": _size(width=2561, height=2561),
    "a box too small for a large image": altered(
        lambda line: (
            line["BB"]["image_size"][0].update(width=2561), line["BB"]["annotations"][0].update(width=2)
        )
    ),
    "an image without depth": altered(lambda line: line["BB"]["image_size"][0].pop("depth")),
    "two images": altered(lambda line: line["BB"]["image_size"].append({"width": 640, "height": 480, "depth": 3})),
    "no image": altered(lambda line: line["BB"].update(image_size=[])),
    "no boxes": altered(lambda line: line["BB"].update(annotations=[])),
    "51 boxes": compact(any_box_line(*[any_box(0)] * 51)),
    "50 boxes": compact(any_box_line(*[any_box(0)] * 50)),
    "a confidence too few": altered(lambda line: line["BB-metadata"]["objects"].pop()),
    "a confidence too many": altered(lambda line: line["BB-metadata"]["objects"].append({"confidence": 1})),
    "a confidence beyond one": _metadata(objects=[{"confidence": 7}] * 3),
    "a confidence of text": _metadata(objects=[{"confidence": "1"}] * 3),
    "an object of nothing": _metadata(objects=[{}] * 3),
    "another type": _metadata(type="groundtruth/image-classification"),
    "an unknown type": _metadata(type="groundtruth/wrong"),
    "a label without characters": _metadata(class_map={"0": "", "1": "Echo"}),
    "a label of 256 characters": _metadata(class_map={"0": "x" * 256, "1": "Echo"}),
    "a label of 255 characters": _metadata(class_map={"0": "x" * 255, "1": "Echo"}),
    "labels of one name": _metadata(class_map={"0": "Echo", "1": "Echo"}),
    "a label with a quotation mark": _metadata(class_map={"0": 'Echo "Dot"', "1": "Echo"}),
    "a class map of numbers": _metadata(class_map={"0": 1, "1": 2}),
    "a class map with a zero in front": _metadata(class_map={"00": "Echo", "01": "Dot"}),
    "nobody": _metadata(human_annotated="perhaps"),
    "no date": _metadata(creation_date=None),
    "another job": _metadata(job_name=7),
    "a job too many": _metadata(job_name="x", job_name_2="y"),
    "another bucket": altered(lambda line: line.update({"source-ref": "s3://elsewhere/x"})),
    "a large scheme": altered(lambda line: line.update({"source-ref": "S3://bucket/x"})),
    "a source-ref without a key": altered(lambda line: line.update({"source-ref": "s3://bucket/"})),
    "a key of 1025 bytes": altered(lambda line: line.update({"source-ref": "s3://bucket/" + "é" * 513})),
    "a key of 1024 bytes": altered(lambda line: line.update({"source-ref": "s3://bucket/" + "é" * 512})),
    "no source-ref": altered(lambda line: line.pop("source-ref")),
    "a member too many": altered(lambda line: line.update(note=1)),
    "an attribute too many": altered(lambda line: line.update({"s": 1, "s-metadata": any_class()})),
    "half an attribute": altered(lambda line: line.update({"s-metadata": any_class()})),
    "spaces": json.dumps(PLAIN, indent=1).replace("\n", " ").encode(),
    "members in another order": compact(dict(reversed(PLAIN.items()))),
    "broken JSON": compact(PLAIN)[:-1],
    "two documents": compact(PLAIN) * 2,
    "broken UTF-8": compact(PLAIN).replace(b"my job", b"my \xff"),
    "a lone surrogate": compact(PLAIN).replace(b"my job", b"\xed\xa0\x80"),
    "a control character": compact(PLAIN).replace(b"my job", b"my\x01job"),
    "a number beyond a double": compact(PLAIN).replace(b'"depth":3', b'"depth":1e999'),
    "a blank line": b"  ",
    "an empty line": b"",
    "100,001 characters": compact(PLAIN).replace(b"my job", b"x" * 100_001),
}  # fmt: skip


@pytest.mark.parametrize("line", TRAPS.values(), ids=TRAPS)
def test_what_a_shape_must_leave_is_read_as_by_the_rules(line: bytes) -> None:
    assert same(after(PLAIN, line, compact(PLAIN), line, compact(PLAIN)))


@pytest.mark.parametrize(
    "line",
    [
        compact(dict(reversed(TWO_CLASSES.items()))),
        compact(TWO_CLASSES)[:-1] + b',"scene1":9}',
        compact(TWO_CLASSES).replace(b'"emu"', b'"owl"'),
        compact(TWO_CLASSES).replace(b'"emu"', b'""'),
        compact(TWO_CLASSES).replace(b'"emu"', b'"scene1-metadata"'),
        compact(TWO_CLASSES).replace(b'"scene1":1', b'"scene1":"1"'),
        compact(TWO_CLASSES).replace(b'"scene1":1', b'"scene1":[]'),
        compact(TWO_CLASSES).replace(b'"confidence":1', b'"confidence":1.5'),
        compact(TWO_CLASSES).replace(b":", b" :"),
        compact(any_job_line([0, 8])),
        compact(any_class_line("owl", "emu", "jay")),
        compact(any_class_line("emu")),
        compact(TWO_CLASSES)[:-1] + b',"cl":1,"cl-metadata":{}}',
        compact(TWO_CLASSES | {"cl": 1, "cl-metadata": any_class()}),
        compact(TWO_CLASSES | {"errors": 1, "x-metadata": "text"}),
        compact(TWO_CLASSES | {"x-metadata": any_class()}),
        compact(TWO_CLASSES | {"x": [], "x-metadata": any_class()}),
        compact(TWO_CLASSES | {"x": True, "x-metadata": any_class()}),
        compact(TWO_CLASSES | {"x": "1", "x-metadata": any_class(job_name=...)}),
        compact(
            TWO_CLASSES
            | {
                "x": 1.5,
                "x-metadata": any_class(type="groundtruth/image-classification-multilabel"),
            }
        ),
        compact(TWO_CLASSES | {"-metadata": any_class(), "": 1}),
        compact(BARE | {"n": 1}),
        compact(BARE | {"n-metadata": "x"}),
        compact(BARE | {"rekognition-custom-labels-evaluation": 1}),
        compact(BARE | {"cl-errors": "x", "cl-metadata": {"is_labeled": False}}),
        compact(BARE)[:-1] + b',"note":"y"}',
        compact(BARE)[:-1] + b',"note":null}',
        compact(any_box_line()),
        b'{"source-ref":null}',
        b"{}",
    ],
    ids=range(30),
)
def test_classes_of_whole_images_are_read_as_by_the_rules(line: bytes) -> None:
    assert same(after(TWO_CLASSES, line, compact(TWO_CLASSES), line))


@settings(deadline=None)
@given(
    st.sampled_from(BASES),
    st.lists(st.builds(written, st.sampled_from(BASES) | documents(), seeds), max_size=4),
)
def test_any_line_is_read_as_by_the_rules(base: Json, lines: list[bytes]) -> None:
    assert same(after(base, *lines, compact(base)))


@settings(deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_a_line_changed_in_one_place_is_read_as_by_the_rules(
    base: Json, data: st.DataObject
) -> None:
    line = json.loads(json.dumps(base))
    place = line
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(values | boxes)
    assert same(after(base, compact(line), written(line, data.draw(seeds)), compact(base)))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(BASES), st.data())
def test_a_line_with_bytes_changed_is_read_as_by_the_rules(base: Json, data: st.DataObject) -> None:
    line = compact(base)
    first = data.draw(st.integers(0, len(line)))
    last = data.draw(st.integers(first, min(len(line), first + 3)))
    bytes_in = data.draw(
        st.binary(max_size=3)
        | st.sampled_from([b'"', b'",', b":", b"-", b"0", b"e", b".", b"}", b"\\"])
    )
    assert same(after(base, line[:first] + bytes_in + line[last:], compact(base)))
