"""What a run leaves: both manifests and the report, fetched, checked against the input, and put in place together."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from local.job import PART_BYTES, SIDE_BY_SIDE, JobError, Moved
from twofold.stores.keys import spell_project
from twofold_command import outputs
from twofold_command.errors import CommandError

MAX_DROPPED_TOLD = 100_000
_STEP_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A line of the manifest, counted from 1, that is in neither dataset."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Store:
    """Twofold's bucket, as far as a run reads it."""

    s3: Any
    bucket: str

    def report(self, project: str) -> dict[str, Any]:
        (key,) = (
            key for key in self._keys(f"reports/{spell_project(project)}/") if key.endswith(".json")
        )
        report: dict[str, Any] = json.load(self._open(key))
        return report

    def dropped(self, project: str) -> list[Dropped]:
        """At most MAX_DROPPED_TOLD; that is how many the service keeps reasons for."""
        keys = self._keys(f"contents/{spell_project(project)}/")
        return [
            Dropped(**json.loads(line))
            for key in keys
            if key.endswith("/rejected.jsonl")
            for line in self._open(key).iter_lines()
        ]

    def fetch(self, dataset: dict[str, Any], target: Path, moved: Moved) -> None:
        """The manifest of a dataset, as the report names it, by ranges side by side and straight to their places in the file:
        in the SDK's own transfer every chunk passes a queue and another thread."""
        bucket, _, key = dataset["manifest"].removeprefix("s3://").partition("/")
        size = dataset["bytes"]

        def fetch_part(start: int) -> None:
            span = f"bytes={start}-{min(start + PART_BYTES, size) - 1}"
            body = self.s3.get_object(Bucket=bucket, Key=key, Range=span)["Body"]
            _write(body, file, start, moved)

        with target.open("wb") as opened, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            file = opened.fileno()
            for part in [pool.submit(fetch_part, start) for start in range(0, size, PART_BYTES)]:
                part.result()

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def _open(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]


def _write(body: Any, file: int, position: int, moved: Moved) -> None:
    step = memoryview(bytearray(_STEP_BYTES))
    while count := body.readinto(step):
        os.pwrite(file, step[:count], position)
        position += count
        moved(count)


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write FILES to. When the block ends well, they appear in `out`; otherwise nothing is left of them.

    Raises JobError if `out` cannot be written.
    """
    try:
        with outputs.staged(out) as folder:
            yield folder
    except CommandError as error:
        raise JobError(str(error)) from error


def as_json(dropped: list[Dropped]) -> list[dict[str, Any]]:
    return [asdict(line) for line in dropped]


def check_partition(
    manifest: Path, folder: Path, dropped: list[Dropped], report: dict[str, Any]
) -> None:
    """Every line of the manifest is, byte for byte and in its order, in train or in test or among the dropped; and nothing
    else is in train or test. Raises JobError naming the first line that is not."""
    out = {line.line for line in dropped}
    with (
        manifest.open("rb", _STEP_BYTES) as source,
        (folder / "train.manifest").open("rb", _STEP_BYTES) as train,
        (folder / "test.manifest").open("rb", _STEP_BYTES) as test,
    ):
        counts = _merge(_lines(source), train, test, out)
        left = next(train, b"") or next(test, b"")
    if left:
        raise JobError(f"The manifests have a line that is not in {manifest}: {left[:200]!r}")
    wanted = tuple(report["datasets"][side]["entries"] for side in ("train", "test"))
    if counts != wanted:
        raise JobError(f"The manifests have {counts} lines (train, test); reported are {wanted}.")


def _merge(
    lines: Iterator[bytes], train: BinaryIO, test: BinaryIO, out: set[int]
) -> tuple[int, int]:
    """How many lines went to train and to test. No two lines that stayed are the same: their source-refs differ."""
    trained, tested = next(train, b""), next(test, b"")
    in_train = in_test = 0
    for number, line in enumerate(lines, 1):
        if number in out:
            continue
        if line == trained:
            in_train += 1
            trained = next(train, b"")
        elif line == tested:
            in_test += 1
            tested = next(test, b"")
        elif len(out) < MAX_DROPPED_TOLD:
            raise JobError(f"Line {number} is neither in train.manifest nor in test.manifest.")
    if trained or tested:
        raise JobError(f"The manifests have a line out of place: {(trained or tested)[:200]!r}")
    return in_train, in_test


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines as they are stored: ended by a line feed alone, no byte order mark."""
    for first in islice(source, 1):
        yield _stored(first.removeprefix(_BYTE_ORDER_MARK))
    for line in source:
        as_it_is = line[-1:] == b"\n" and line[-2:-1] != b"\r"
        yield line if as_it_is else _stored(line)


def _stored(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r") + b"\n"
