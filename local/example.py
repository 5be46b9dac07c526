"""`python -m local.example` writes local/example.manifest, the default manifest of `make run`.

The manifest has 600 images of an invented garden camera: scene and weather are image-level labels, animals have bounding boxes.
Most images have several labels, some have none, and three animals are rare. Equal seeds write equal bytes.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

EXAMPLE_MANIFEST = Path(__file__).with_name("example.manifest")
ENTRIES = 600
SEED = 7
WIDTH, HEIGHT = 1280, 960

_Weights = Sequence[tuple[str, int]]
SCENES: _Weights = (("lawn", 50), ("pond", 25), ("feeder", 20), ("compost", 5))
WEATHER: _Weights = (("sun", 55), ("rain", 25), ("fog", 12), ("snow", 8))
ANIMALS: _Weights = (
    ("blackbird", 260),
    ("robin", 200),
    ("blue tit", 180),
    ("squirrel", 120),
    ("hedgehog", 90),
    ("heron", 60),
    ("fox", 40),
    ("newt", 25),
    ("kingfisher", 6),
    ("badger", 4),
    ("hoopoe", 2),
)

Entry = dict[str, Any]


def main() -> None:
    EXAMPLE_MANIFEST.write_bytes(b"".join(generate_manifest(ENTRIES, SEED)))


def generate_manifest(count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` lines, each terminated by a line feed."""
    random = Random(seed)  # noqa: S311 an example, not a secret
    for number in range(count):
        line = json.dumps(
            _generate_entry(number, random), separators=(",", ":"), ensure_ascii=False
        )
        yield f"{line}\n".encode()


def _generate_entry(number: int, random: Random) -> Entry:
    """Return a random entry: 44 % have image-level labels and boxes, 8 % have no labels."""
    entry: Entry = {"source-ref": f"s3://example-images/garden/{number:05d}.jpg"}
    draw = random.random()
    if draw < 0.08:
        return entry
    if draw < 0.72:
        entry |= _generate_classification("scene", SCENES, random)
        if random.random() < 0.6:
            entry |= _generate_classification("weather", WEATHER, random)
    if draw > 0.28:
        entry |= _generate_detection("animals", random)
    return entry


def _generate_classification(attribute: str, weights: _Weights, random: Random) -> Entry:
    name = _draw_name(weights, random)
    classes = [class_name for class_name, _ in weights]
    metadata = {
        "confidence": round(0.6 + 0.4 * random.random(), 2),
        "class-name": name,
        "type": "groundtruth/image-classification",
    }
    return {
        attribute: classes.index(name),
        f"{attribute}-metadata": metadata | _generate_provenance(attribute, random),
    }


def _generate_detection(attribute: str, random: Random) -> Entry:
    names = [_draw_name(ANIMALS, random) for _ in range(1 + int(random.random() ** 2 * 4))]
    classes = sorted(set(names))
    metadata = {
        "objects": [{"confidence": round(0.5 + 0.5 * random.random(), 2)} for _ in names],
        "class-map": {str(number): name for number, name in enumerate(classes)},
        "type": "groundtruth/object-detection",
    }
    return {
        attribute: {
            "image_size": [{"width": WIDTH, "height": HEIGHT, "depth": 3}],
            "annotations": [_generate_box(classes.index(name), random) for name in names],
        },
        f"{attribute}-metadata": metadata | _generate_provenance(attribute, random),
    }


def _generate_box(class_id: int, random: Random) -> dict[str, int]:
    width, height = (40 + int(random.random() * 300) for _ in range(2))
    return {
        "class_id": class_id,
        "left": int(random.random() * (WIDTH - width)),
        "top": int(random.random() * (HEIGHT - height)),
        "width": width,
        "height": height,
    }


def _generate_provenance(attribute: str, random: Random) -> Entry:
    day, minute = 1 + int(random.random() * 28), int(random.random() * 60)
    return {
        "job-name": f"labeling-job/garden-{attribute}",
        "human-annotated": "yes",
        "creation-date": f"2024-05-{day:02d}T09:{minute:02d}:00.000000",
    }


def _draw_name(weights: _Weights, random: Random) -> str:
    """Return a name drawn by weight. Only `random()` is used: Python keeps its sequence stable for a seed."""
    point = random.random() * sum(weight for _, weight in weights)
    for name, weight in weights:
        point -= weight
        if point < 0:
            return name
    return weights[-1][0]


if __name__ == "__main__":
    main()
