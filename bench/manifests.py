"""Generated manifests with bounding boxes in the format of Ground Truth, deterministic, of any number of lines.

`python -m bench.manifests FILE ENTRIES` writes a manifest.
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
    """Write `entries` lines of about 580 bytes with 1 to MOST_BOXES boxes each. Returns the size of the file.

    Only the first block is drawn at random; the next blocks repeat the first block with new file names.
    """
    lines = list(_generate_lines(np.random.default_rng(seed), min(_BLOCK, entries)))
    with path.open("wb") as file:
        for first in range(0, entries, _BLOCK):
            block = "".join(lines[: entries - first]).encode()
            file.write(block.replace(b"/frame-00000", b"/frame-%05d" % (first // _BLOCK)))
    return path.stat().st_size


def _generate_lines(random: np.random.Generator, count: int) -> Iterator[str]:
    """Yield lines with labels by Zipf's law, where neighbours of the first label are more frequent."""
    weights = 1 / np.arange(1, LABELS + 1) ** ZIPF_EXPONENT
    labels = random.choice(LABELS, (count, MOST_BOXES), p=weights / weights.sum())
    related = (labels[:, :1] + random.integers(0, 4, labels.shape)) % LABELS
    labels = np.where(random.random(labels.shape) < 0.5, related, labels)
    boxes = random.integers(1, MOST_BOXES + 1, count).tolist()
    sizes = random.integers(0, len(_SIZES), count).tolist()
    seconds = random.integers(0, 86_400, count).tolist()
    corners = random.integers(0, 200, (count, MOST_BOXES, 4)).tolist()
    rows = zip(_format_labels(labels), boxes, sizes, seconds, corners, strict=True)
    for number, (line_labels, box_count, size, second, line_corners) in enumerate(rows):
        yield _format_line(
            number, line_labels[:box_count], _SIZES[size], second, line_corners[:box_count]
        )


def _format_labels(labels: NDArray[np.int64]) -> list[list[str]]:
    return [[str(label) for label in row] for row in labels.tolist()]


def _format_line(
    number: int, labels: list[str], size: tuple[int, int], second: int, places: list[list[int]]
) -> str:
    boxes = ",".join(
        f'{{"class_id":{label},"top":{top},"left":{start},"height":{height + 8},"width":{width + 8}}}'
        for label, (top, start, height, width) in zip(labels, places, strict=True)
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
