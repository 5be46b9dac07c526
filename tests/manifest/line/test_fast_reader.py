"""The fast reader gives the same index as the rules, for any line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.manifest_lines import (
    Json,
    boxes,
    draw_document,
    make_box,
    make_box_line,
    make_class_line,
    make_class_metadata,
    make_job_line,
    seeds,
    serialize_compactly,
    values,
    write_line,
)
from twofold.manifest.index import range_indexer
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.range_indexer import SAMPLE_LINES, index_lines
from twofold.manifest.line import document, fast_reader

PLAIN = make_box_line(make_box(0), make_box(1), make_box(0))
TWO_CLASSES = make_class_line("owl", "emu")
BARE: Json = {"source-ref": "s3://bucket/bare.png"}
BASES = [
    PLAIN,
    make_class_line("owl"),
    TWO_CLASSES,
    make_class_line("owl") | {"note": "x", "n": 1.5},
    BARE,
]


def index_by_rules(lines: list[bytes]) -> RangeIndex:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_reader, "MAX_SAMPLES", 0)
        return index_lines(enumerate(lines))


def prepend_samples(base: Json, *lines: bytes) -> list[bytes]:
    """Return enough copies of `base` for the reader to learn from, followed by the lines."""
    return [serialize_compactly(base)] * SAMPLE_LINES + list(lines)


def is_indexed_alike(lines: list[bytes]) -> bool:
    return index_lines(enumerate(lines)).encode() == index_by_rules(lines).encode()


@contextmanager
def count_rule_reads() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the number of lines that the rules have read."""
    read = Mock(wraps=document.parse_line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_indexer, "parse_line", read)
        yield lambda: read.call_count


@pytest.mark.parametrize(
    "base", BASES, ids=["boxes", "class", "classes", "more members", "no label"]
)
def test_only_the_first_lines_are_read_by_the_rules(base: Json) -> None:
    with count_rule_reads() as rules:
        index_lines(enumerate(prepend_samples(base, *[serialize_compactly(base)] * 1000)))
        assert rules() == SAMPLE_LINES


def test_lines_of_several_forms_are_all_learned() -> None:
    other = make_box_line(make_box(1), key="other")
    lines = [serialize_compactly(line) for line in (*BASES, other)] * 500
    with count_rule_reads() as rules:
        index_lines(enumerate(lines))
        assert rules() == SAMPLE_LINES
    assert is_indexed_alike(lines)


def test_attributes_that_are_named_after_labels_are_all_read_alike() -> None:
    lines = [
        serialize_compactly(
            {
                "source-ref": f"s3://bucket/{n}",
                f"k{n}": 1,
                f"k{n}-metadata": make_class_metadata(f"k{n}"),
            }
        )
        for n in range(500)
    ]
    with count_rule_reads() as rules:
        index_lines(enumerate(lines))
        assert rules() == SAMPLE_LINES
    assert is_indexed_alike(lines)


def test_lines_that_are_never_alike_are_left_to_the_rules() -> None:
    lines = [
        serialize_compactly(make_box_line(make_box(0), key=f"k{number}")) for number in range(500)
    ]
    with count_rule_reads() as rules:
        index_lines(enumerate(lines))
        assert rules() == len(lines)
    assert is_indexed_alike(lines)


def alter_line(change: Callable[[Json], object], base: Json = PLAIN) -> bytes:
    line = json.loads(json.dumps(base))
    change(line)
    return serialize_compactly(line)


def _alter_box(**changes: object) -> bytes:
    return alter_line(lambda line: line["BB"]["annotations"][1].update(changes))


def _alter_size(**changes: object) -> bytes:
    return alter_line(lambda line: line["BB"]["image_size"][0].update(changes))


def _alter_metadata(**changes: object) -> bytes:
    return alter_line(
        lambda line: line["BB-metadata"].update(
            {key.replace("_", "-"): value for key, value in changes.items()}
        )
    )


TRAPS = {
    "a repeated key": serialize_compactly(PLAIN)[:-1] + b',"BB":0}',
    "a repeated key of a box": serialize_compactly(PLAIN).replace(b'"top":', b'"top":1,"top":', 1),
    "a repeated class": serialize_compactly(PLAIN).replace(b'"0":', b'"0":"x","0":', 1),
    "a repeated source-ref": serialize_compactly(PLAIN)[:-1] + b',"source-ref":"s3://bucket/other"}',
    "an escape": serialize_compactly(PLAIN).replace(b"my job", b"my\\u0020job"),
    "an escape that hides a repeated key": serialize_compactly(PLAIN)
    .replace(b"my job", b'\\"')
    .replace(b'"top":', b'"top":1,"top":', 1),
    "minus zero": serialize_compactly(PLAIN).replace(b'"0":"Echo"', b'"-0":"Echo"'),
    "minus zero beside zero": serialize_compactly(PLAIN).replace(b'"0":"Echo"', b'"-0":"x","0":"Echo"'),
    "a label that ends with minus zero": serialize_compactly(PLAIN).replace(b'"Echo"', b'"Echo-0"'),
    "a class id with a fraction": _alter_box(class_id=1.0),
    "a negative class id": _alter_box(class_id=-1),
    "a class id of 20 digits": serialize_compactly(PLAIN).replace(b'"class_id":1', b'"class_id":18446744073709551616'),
    "a class id as text": _alter_box(class_id="1"),
    "a truth for a class id": _alter_box(class_id=True),
    "a class that is not in the map": _alter_box(class_id=7),
    "a member of a box": _alter_box(note=1),
    "a box that touches the edge": _alter_box(left=640 - 220, top=480 - 334),
    "a box that is a rounding over the edge": _alter_box(left=640 - 220 + 0.05),
    "a box over the edge": _alter_box(left=640 - 220 + 0.06),
    "a box under the edge": _alter_box(top=480 - 334 + 1),
    "a box left of the image": _alter_box(left=-1),
    "a box above the image": _alter_box(top=-0.5),
    "minus nothing": _alter_box(top=-0.0),
    "a box of one pixel": _alter_box(width=1),
    "a box of a little more than a pixel": _alter_box(height=1.001),
    "a box without height": _alter_box(height=0),
    "a box of text": _alter_box(width="220"),
    "a box of nothing": _alter_box(width=None),
    "a small image": _alter_size(width=63, height=700),
    "a large image": _alter_size(width=4097),
    "the largest image": _alter_size(width=4096, height=4096),
    "an image that is larger in training": _alter_size(width=2561, height=2561),
    "a box too small for a large image": alter_line(
        lambda line: (
            line["BB"]["image_size"][0].update(width=2561), line["BB"]["annotations"][0].update(width=2)
        )
    ),
    "an image without depth": alter_line(lambda line: line["BB"]["image_size"][0].pop("depth")),
    "two images": alter_line(lambda line: line["BB"]["image_size"].append({"width": 640, "height": 480, "depth": 3})),
    "no image": alter_line(lambda line: line["BB"].update(image_size=[])),
    "no boxes": alter_line(lambda line: line["BB"].update(annotations=[])),
    "51 boxes": serialize_compactly(make_box_line(*[make_box(0)] * 51)),
    "50 boxes": serialize_compactly(make_box_line(*[make_box(0)] * 50)),
    "a confidence too few": alter_line(lambda line: line["BB-metadata"]["objects"].pop()),
    "a confidence too many": alter_line(lambda line: line["BB-metadata"]["objects"].append({"confidence": 1})),
    "a confidence beyond one": _alter_metadata(objects=[{"confidence": 7}] * 3),
    "a confidence of text": _alter_metadata(objects=[{"confidence": "1"}] * 3),
    "an object of nothing": _alter_metadata(objects=[{}] * 3),
    "another type": _alter_metadata(type="groundtruth/image-classification"),
    "an unknown type": _alter_metadata(type="groundtruth/wrong"),
    "a label without characters": _alter_metadata(class_map={"0": "", "1": "Echo"}),
    "a label of 256 characters": _alter_metadata(class_map={"0": "x" * 256, "1": "Echo"}),
    "a label of 255 characters": _alter_metadata(class_map={"0": "x" * 255, "1": "Echo"}),
    "labels of one name": _alter_metadata(class_map={"0": "Echo", "1": "Echo"}),
    "a label with a quotation mark": _alter_metadata(class_map={"0": 'Echo "Dot"', "1": "Echo"}),
    "a class map of numbers": _alter_metadata(class_map={"0": 1, "1": 2}),
    "a class map with a zero in front": _alter_metadata(class_map={"00": "Echo", "01": "Dot"}),
    "nobody": _alter_metadata(human_annotated="perhaps"),
    "no date": _alter_metadata(creation_date=None),
    "another job": _alter_metadata(job_name=7),
    "a job too many": _alter_metadata(job_name="x", job_name_2="y"),
    "another bucket": alter_line(lambda line: line.update({"source-ref": "s3://elsewhere/x"})),
    "a large scheme": alter_line(lambda line: line.update({"source-ref": "S3://bucket/x"})),
    "a source-ref without a key": alter_line(lambda line: line.update({"source-ref": "s3://bucket/"})),
    "a key of 1025 bytes": alter_line(lambda line: line.update({"source-ref": "s3://bucket/" + "é" * 513})),
    "a key of 1024 bytes": alter_line(lambda line: line.update({"source-ref": "s3://bucket/" + "é" * 512})),
    "no source-ref": alter_line(lambda line: line.pop("source-ref")),
    "a member too many": alter_line(lambda line: line.update(note=1)),
    "an attribute too many": alter_line(lambda line: line.update({"s": 1, "s-metadata": make_class_metadata()})),
    "half an attribute": alter_line(lambda line: line.update({"s-metadata": make_class_metadata()})),
    "spaces": json.dumps(PLAIN, indent=1).replace("\n", " ").encode(),
    "members in another order": serialize_compactly(dict(reversed(PLAIN.items()))),
    "broken JSON": serialize_compactly(PLAIN)[:-1],
    "two documents": serialize_compactly(PLAIN) * 2,
    "broken UTF-8": serialize_compactly(PLAIN).replace(b"my job", b"my \xff"),
    "a lone surrogate": serialize_compactly(PLAIN).replace(b"my job", b"\xed\xa0\x80"),
    "a control character": serialize_compactly(PLAIN).replace(b"my job", b"my\x01job"),
    "a number beyond a double": serialize_compactly(PLAIN).replace(b'"depth":3', b'"depth":1e999'),
    "a blank line": b"  ",
    "an empty line": b"",
    "100,001 characters": serialize_compactly(PLAIN).replace(b"my job", b"x" * 100_001),
}  # fmt: skip


@pytest.mark.parametrize("line", TRAPS.values(), ids=TRAPS)
def test_what_a_shape_must_leave_is_read_as_by_the_rules(line: bytes) -> None:
    assert is_indexed_alike(
        prepend_samples(PLAIN, line, serialize_compactly(PLAIN), line, serialize_compactly(PLAIN))
    )


@pytest.mark.parametrize(
    "line",
    [
        serialize_compactly(dict(reversed(TWO_CLASSES.items()))),
        serialize_compactly(TWO_CLASSES)[:-1] + b',"scene1":9}',
        serialize_compactly(TWO_CLASSES).replace(b'"emu"', b'"owl"'),
        serialize_compactly(TWO_CLASSES).replace(b'"emu"', b'""'),
        serialize_compactly(TWO_CLASSES).replace(b'"emu"', b'"scene1-metadata"'),
        serialize_compactly(TWO_CLASSES).replace(b'"scene1":1', b'"scene1":"1"'),
        serialize_compactly(TWO_CLASSES).replace(b'"scene1":1', b'"scene1":[]'),
        serialize_compactly(TWO_CLASSES).replace(b'"confidence":1', b'"confidence":1.5'),
        serialize_compactly(TWO_CLASSES).replace(b":", b" :"),
        serialize_compactly(make_job_line([0, 8])),
        serialize_compactly(make_class_line("owl", "emu", "jay")),
        serialize_compactly(make_class_line("emu")),
        serialize_compactly(TWO_CLASSES)[:-1] + b',"cl":1,"cl-metadata":{}}',
        serialize_compactly(TWO_CLASSES | {"cl": 1, "cl-metadata": make_class_metadata()}),
        serialize_compactly(TWO_CLASSES | {"errors": 1, "x-metadata": "text"}),
        serialize_compactly(TWO_CLASSES | {"x-metadata": make_class_metadata()}),
        serialize_compactly(TWO_CLASSES | {"x": [], "x-metadata": make_class_metadata()}),
        serialize_compactly(TWO_CLASSES | {"x": True, "x-metadata": make_class_metadata()}),
        serialize_compactly(
            TWO_CLASSES | {"x": "1", "x-metadata": make_class_metadata(job_name=...)}
        ),
        serialize_compactly(
            TWO_CLASSES
            | {
                "x": 1.5,
                "x-metadata": make_class_metadata(
                    type="groundtruth/image-classification-multilabel"
                ),
            }
        ),
        serialize_compactly(TWO_CLASSES | {"-metadata": make_class_metadata(), "": 1}),
        serialize_compactly(BARE | {"n": 1}),
        serialize_compactly(BARE | {"n-metadata": "x"}),
        serialize_compactly(BARE | {"rekognition-custom-labels-evaluation": 1}),
        serialize_compactly(BARE | {"cl-errors": "x", "cl-metadata": {"is_labeled": False}}),
        serialize_compactly(BARE)[:-1] + b',"note":"y"}',
        serialize_compactly(BARE)[:-1] + b',"note":null}',
        serialize_compactly(make_box_line()),
        b'{"source-ref":null}',
        b"{}",
    ],
    ids=range(30),
)
def test_classes_of_whole_images_are_read_as_by_the_rules(line: bytes) -> None:
    assert is_indexed_alike(
        prepend_samples(TWO_CLASSES, line, serialize_compactly(TWO_CLASSES), line)
    )


@settings(deadline=None)
@given(
    st.sampled_from(BASES),
    st.lists(st.builds(write_line, st.sampled_from(BASES) | draw_document(), seeds), max_size=4),
)
def test_any_line_is_read_as_by_the_rules(base: Json, lines: list[bytes]) -> None:
    assert is_indexed_alike(prepend_samples(base, *lines, serialize_compactly(base)))


@settings(deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_a_line_changed_in_one_place_is_read_as_by_the_rules(
    base: Json, data: st.DataObject
) -> None:
    line = json.loads(json.dumps(base))
    container = line
    while True:
        key = data.draw(
            st.sampled_from(
                sorted(container) if isinstance(container, dict) else range(len(container))
            )
        )
        inner = container[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        container = inner
    container[key] = data.draw(values | boxes)
    respelled = write_line(line, data.draw(seeds))
    lines = (serialize_compactly(line), respelled, serialize_compactly(base))
    assert is_indexed_alike(prepend_samples(base, *lines))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(BASES), st.data())
def test_a_line_with_bytes_changed_is_read_as_by_the_rules(base: Json, data: st.DataObject) -> None:
    line = serialize_compactly(base)
    first = data.draw(st.integers(0, len(line)))
    last = data.draw(st.integers(first, min(len(line), first + 3)))
    bytes_in = data.draw(
        st.binary(max_size=3)
        | st.sampled_from([b'"', b'",', b":", b"-", b"0", b"e", b".", b"}", b"\\"])
    )
    assert is_indexed_alike(
        prepend_samples(base, line[:first] + bytes_in + line[last:], serialize_compactly(base))
    )
