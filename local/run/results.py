"""The results of a run: download both manifests and the report, check them against the source, publish the files together."""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from local.run.job import MAX_CONCURRENCY, PART_BYTES, RunError
from twofold.stores.keys import encode_project
from twofold_command import split_files
from twofold_command.errors import CommandError
from twofold_service.driver import OnBytes

MAX_REJECTED_LINES = 100_000
_BUFFER_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line of the source manifest that is in neither dataset. Line numbers start at 1."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ResultStore:
    """A reader of Twofold's bucket."""

    s3: Any
    bucket: str

    def read_report(self, project: str) -> dict[str, Any]:
        (key,) = (
            key
            for key in self._list_keys(f"reports/{encode_project(project)}/")
            if key.endswith(".json")
        )
        report: dict[str, Any] = json.load(self._open_object(key))
        return report

    def read_rejected_lines(self, project: str) -> list[RejectedLine]:
        """Return the rejected lines, at most MAX_REJECTED_LINES: the service stores no more."""
        keys = self._list_keys(f"contents/{encode_project(project)}/")
        return [
            RejectedLine(**json.loads(line))
            for key in keys
            if key.endswith("/rejected.jsonl")
            for line in self._open_object(key).iter_lines()
        ]

    def download_manifest(self, location: dict[str, Any], target: Path, on_bytes: OnBytes) -> None:
        """Download the manifest of a dataset. `location` is the dataset's member of the report.

        Ranges are downloaded in parallel and written at their offsets. The SDK's transfer manager is slower, since every chunk
        passes through a queue to another thread.
        """
        bucket, _, key = location["manifest"].removeprefix("s3://").partition("/")
        size = location["bytes"]

        def fetch_part(start: int) -> None:
            byte_range = f"bytes={start}-{min(start + PART_BYTES, size) - 1}"
            body = self.s3.get_object(Bucket=bucket, Key=key, Range=byte_range)["Body"]
            _write_stream(body, file, start, on_bytes)

        with target.open("wb") as opened, ThreadPoolExecutor(MAX_CONCURRENCY) as pool:
            file = opened.fileno()
            for part in [pool.submit(fetch_part, start) for start in range(0, size, PART_BYTES)]:
                part.result()

    def _list_keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def _open_object(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]


def _write_stream(body: Any, file: int, position: int, on_bytes: OnBytes) -> None:
    """Write a stream to the file descriptor `file` from `position` on."""
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    while count := body.readinto(buffer):
        os.pwrite(file, buffer[:count], position)
        position += count
        on_bytes(count)


@contextmanager
def stage_files(out: Path) -> Iterator[Path]:
    """Context manager that returns a folder for FILES. On success the files appear in `out`; on failure they are removed.

    Raises RunError if `out` cannot be written.
    """
    try:
        with split_files.stage_split_files(out) as folder:
            yield folder
    except CommandError as error:
        raise RunError(str(error)) from error


def check_partition(
    manifest: Path, folder: Path, rejected_lines: Sequence[RejectedLine], report: dict[str, Any]
) -> None:
    """Check that each line of the source manifest is in train.manifest, in test.manifest or rejected, in the source's order.

    Lines are compared byte for byte, and neither manifest may have other lines. Raises RunError with the first line that
    violates this.
    """
    rejected_numbers = {line.line for line in rejected_lines}
    with (
        manifest.open("rb", _BUFFER_BYTES) as source,
        (folder / "train.manifest").open("rb", _BUFFER_BYTES) as train,
        (folder / "test.manifest").open("rb", _BUFFER_BYTES) as test,
    ):
        counts = _count_matches(_iterate_stored_lines(source), train, test, rejected_numbers)
        surplus = next(train, b"") or next(test, b"")
    if surplus:
        raise RunError(f"The manifests have a line that is not in {manifest}: {surplus[:200]!r}")
    reported = tuple(report["datasets"][side]["entries"] for side in ("train", "test"))
    if counts != reported:
        raise RunError(f"The manifests have {counts} lines (train, test); reported are {reported}.")


def _count_matches(
    lines: Iterator[bytes], train: BinaryIO, test: BinaryIO, rejected_numbers: set[int]
) -> tuple[int, int]:
    """Return the numbers of lines in the training and the test manifest.

    A merge by one pass suffices, since accepted lines are distinct: their source-refs differ.
    """
    next_train, next_test = next(train, b""), next(test, b"")
    in_train = in_test = 0
    for number, line in enumerate(lines, 1):
        if number in rejected_numbers:
            continue
        if line == next_train:
            in_train += 1
            next_train = next(train, b"")
        elif line == next_test:
            in_test += 1
            next_test = next(test, b"")
        elif len(rejected_numbers) < MAX_REJECTED_LINES:
            raise RunError(f"Line {number} is neither in train.manifest nor in test.manifest.")
    if next_train or next_test:
        line = next_train or next_test
        raise RunError(f"The manifests have a line out of order: {line[:200]!r}")
    return in_train, in_test


def _iterate_stored_lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield the lines in the form in which datasets store them: without byte order mark, terminated by a line feed."""
    for first_line in islice(source, 1):
        yield _normalize_line(first_line.removeprefix(_BYTE_ORDER_MARK))
    for line in source:
        is_normal = line[-1:] == b"\n" and line[-2:-1] != b"\r"
        yield line if is_normal else _normalize_line(line)


def _normalize_line(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r") + b"\n"
