"""Manifests to measure on: bounding boxes as Ground Truth writes them, as many lines as asked for, always the same.

`python -m bench.manifests FILE ENTRIES` writes one.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets import ZIPF_EXPONENT

LABELS = 250
MOST_BOXES = 4
_BLOCK = 100_000
_SIZES = ((640, 480), (1024, 768), (1280, 960), (1920, 1080))


def write_manifest(path: Path, entries: int, seed: int = 0) -> int:
    """Writes so many lines of about 580 bytes, 1 to MOST_BOXES boxes each, and answers with the size of the file.

    One block is drawn; the others repeat it under other file names, for disks are faster than random numbers.
    """
    lines = list(_lines(np.random.default_rng(seed), min(_BLOCK, entries)))
    with path.open("wb") as file:
        for first in range(0, entries, _BLOCK):
            block = "".join(lines[: entries - first]).encode()
            file.write(block.replace(b"/frame-00000", b"/frame-%05d" % (first // _BLOCK)))
    return path.stat().st_size


def _lines(random: np.random.Generator, count: int) -> Iterator[str]:
    """Labels by Zipf's law, neighbours of a line's first label more often than others."""
    weights = 1 / np.arange(1, LABELS + 1) ** ZIPF_EXPONENT
    labels = random.choice(LABELS, (count, MOST_BOXES), p=weights / weights.sum())
    near = (labels[:, :1] + random.integers(0, 4, labels.shape)) % LABELS
    labels = np.where(random.random(labels.shape) < 0.5, near, labels)
    boxes = random.integers(1, MOST_BOXES + 1, count).tolist()
    sizes = random.integers(0, len(_SIZES), count).tolist()
    seconds = random.integers(0, 86_400, count).tolist()
    places = random.integers(0, 200, (count, MOST_BOXES, 4)).tolist()
    rows = zip(_texts(labels), boxes, sizes, seconds, places, strict=True)
    for number, (own, many, size, second, place) in enumerate(rows):
        yield _line(number, own[:many], _SIZES[size], second, place[:many])


def _texts(labels: NDArray[np.int64]) -> list[list[str]]:
    return [[str(label) for label in row] for row in labels.tolist()]


def _line(
    number: int, labels: list[str], size: tuple[int, int], second: int, places: list[list[int]]
) -> str:
    boxes = ",".join(
        f'{{"class_id":{label},"top":{top},"left":{left},"height":{height + 8},"width":{width + 8}}}'
        for label, (top, left, height, width) in zip(labels, places, strict=True)
    )
    names = ",".join(f'"{label}":"label-{label}"' for label in dict.fromkeys(labels))
    confidences = ",".join(f'{{"confidence":0.{80 + second % 20}}}' for _ in labels)
    moment = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{number % 1000:03d}"
    return (
        f'{{"source-ref":"s3://camera-images/site-{number % 97:02d}/2024-05-17/frame-{number:010d}.jpg",'
        f'"boxes":{{"image_size":[{{"width":{size[0]},"height":{size[1]},"depth":3}}],"annotations":[{boxes}]}},'
        f'"boxes-metadata":{{"objects":[{confidences}],"class-map":{{{names}}},'
        f'"type":"groundtruth/object-detection","human-annotated":"yes",'
        f'"creation-date":"2024-05-17T{moment}","job-name":"labeling-job/frames-of-may-2024"}}}}\n'
    )


if __name__ == "__main__":
    target, count = sys.argv[1:]
    write_manifest(Path(target), int(count))
