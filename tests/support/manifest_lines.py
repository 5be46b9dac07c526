"""Manifest lines for tests: small valid lines to change, and Hypothesis strategies for arbitrary lines in any spelling."""

import json
from random import Random
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

CLASSIFICATION = "groundtruth/image-classification"
DETECTION = "groundtruth/object-detection"


def make_class_metadata(name: Any = "Sunrise", **changes: Any) -> Json:
    """Metadata of an image-level label."""
    metadata = {
        "confidence": 1,
        "job-name": "labeling-job/scenes",
        "class-name": name,
        "human-annotated": "yes",
        "creation-date": "2020-03-06T17:46:39.176",
        "type": CLASSIFICATION,
    }
    return apply_changes(metadata, changes)


def make_class_line(*names: str) -> Json:
    line: Json = {"source-ref": "s3://bucket/images/sunrise.png"}
    for number, name in enumerate(names or ("Sunrise",)):
        line |= {f"scene{number}": number, f"scene{number}-metadata": make_class_metadata(name)}
    return line


def make_box(class_id: Any = 0, **changes: Any) -> Json:
    return apply_changes(
        {"class_id": class_id, "top": 65, "left": 86, "width": 220, "height": 334}, changes
    )


def make_box_line(
    *boxes: Json, names: tuple[str, ...] = ("Echo", "Echo Dot"), key: str = "BB"
) -> Json:
    return {
        "source-ref": "s3://bucket/images/IMG_1186.png",
        key: {
            "image_size": [{"width": 640, "height": 480, "depth": 3}],
            "annotations": list(boxes),
        },
        f"{key}-metadata": {
            "objects": [{"confidence": 1} for _ in boxes],
            "class-map": {str(number): name for number, name in enumerate(names)},
            "type": DETECTION,
            "human-annotated": "yes",
            "creation-date": "2013-11-18T02:53:27",
            "job-name": "my job",
        },
    }


def make_job_line(ids: Any, **changes: Any) -> Json:
    """The raw output of a Ground Truth multi-label job."""
    metadata = {
        "job-name": "labeling-job/animals",
        "class-map": {"0": "dog", "1": "cat", "8": "bird"},
        "human-annotated": "yes",
        "creation-date": "2018-10-18T22:18:13.527256",
        "confidence-map": {"0": 0.93, "1": 0.8, "8": 0},
        "type": CLASSIFICATION + "-multilabel",
    }
    return {
        "source-ref": "s3://b/k",
        "animals": ids,
        "animals-metadata": apply_changes(metadata, changes),
    }


def apply_changes(value: Json, changes: Json) -> Json:
    """Set members (`_` for `-`), or delete a member if the change is `...`."""
    for name, change in changes.items():
        key = name.replace("_", "-")
        if change is ...:
            del value[key]
        else:
            value[key] = change
    return value


def serialize_compactly(line: Json) -> bytes:
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-(10**6), 10**20) | st.floats(-1e300, 1e300)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
sides = st.integers(-2, 700) | st.floats(-2, 700) | values
boxes = st.fixed_dictionaries(
    {
        "class_id": st.integers(0, 3) | values,
        "top": sides,
        "left": sides,
        "width": sides,
        "height": sides,
    }
)
names = st.sampled_from(["Echo", "Écho", '"q":', ":colon", "", "x" * 256]) | texts
types = st.sampled_from(
    [CLASSIFICATION, CLASSIFICATION + "-multilabel", DETECTION, "groundtruth/wrongtype"]
)


@st.composite
def draw_document(draw: st.DrawFn) -> Json:
    """Draw a line with valid and invalid parts, without the service's own keys."""
    line: Json = {"source-ref": "s3://bucket/" + draw(texts.filter(bool))}
    for key in draw(
        st.lists(
            st.sampled_from(["BB", "scene", "Szene ä", "cl", "errors"]), unique=True, max_size=3
        )
    ):
        whole = make_box_line(*draw(st.lists(boxes | st.just(make_box()), max_size=4)), key=key)
        line[key] = draw(
            st.just(whole[key])
            | st.integers(0, 9)
            | st.lists(st.integers(0, 3), max_size=3)
            | values
        )
        metadata = {
            **make_class_metadata(draw(names)),
            **whole[f"{key}-metadata"],
            "type": draw(types),
        }
        metadata |= {
            "class-map": draw(st.dictionaries(st.sampled_from("0123"), names)),
            "confidence-map": {"0": 1},
        }
        for lost in draw(st.lists(st.sampled_from(sorted(metadata)), max_size=2)):
            metadata[lost] = draw(values)
        if key != "cl":
            line[f"{key}-metadata"] = draw(st.just(metadata) | st.just({}) | values)
    line |= draw(
        st.dictionaries(texts, values, max_size=2).filter(lambda extra: "source-ref" not in extra)
    )
    return line


def spell_value(value: Any, random: Random) -> str:
    """Return JSON text of a value with random white space, escapes and order of members."""
    return _choose_space(random) + _spell_value(value, random) + _choose_space(random)


def _spell_value(value: Any, random: Random) -> str:
    if isinstance(value, dict):
        members = [
            f"{spell_value(key, random)}:{spell_value(item, random)}" for key, item in value.items()
        ]
        random.shuffle(members)
        return "{" + (",".join(members) or _choose_space(random)) + "}"
    if isinstance(value, list):
        return (
            "["
            + (",".join(spell_value(item, random) for item in value) or _choose_space(random))
            + "]"
        )
    if isinstance(value, str):
        return '"' + "".join(_spell_character(each, random) for each in value) + '"'
    return json.dumps(value)


def _spell_character(character: str, random: Random) -> str:
    if character in '"\\' or ord(character) < 32 or random.random() < 0.1:
        return (
            json.dumps(character)[1:-1] if random.random() < 0.5 else _escape_character(character)
        )
    return character


def _escape_character(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _choose_space(random: Random) -> str:
    return random.choice(["", "", "", "", " ", "\t", "\r", "  "])


def write_line(value: Any, seed: int) -> bytes:
    return spell_value(value, Random(seed)).encode()


seeds = st.integers(0, 2**32)
lines = st.builds(write_line, draw_document(), seeds)
