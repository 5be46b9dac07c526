"""ListDatasetEntries."""

from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from twofold.api import tokens
from twofold.api.contract import ListDatasetEntriesRequest
from twofold.api.service import Service
from twofold.errors import ResourceNotReadyException
from twofold.manifest import columns
from twofold.manifest.lines import list_entry
from twofold.records import Dataset, Status
from twofold.stores.keys import ContentsKeys, contents
from twofold.stores.objects import Bucket

MAX_ANSWER_BYTES = 5_000_000
"""Of the 6 MB that Lambda answers with, as the entries are there: JSON within JSON within JSON."""

_HEADER_BYTES = 64 << 10
_OPERATION = "ListDatasetEntries"


def list_dataset_entries(service: Service, request: ListDatasetEntriesRequest) -> dict[str, Any]:
    """A page of the contents that the first page was of, even if the dataset has others by now."""
    dataset = service.dataset(request.dataset_arn)
    if dataset.status is Status.CREATE_IN_PROGRESS:
        raise ResourceNotReadyException(f"The dataset {request.dataset_arn} is being created.")
    folder, number, offset = _position(dataset, request.next_token)
    if not folder:
        return {"DatasetEntries": []}
    lines, total = _lines(service.bucket, ContentsKeys(folder), number, offset, request.max_results)
    page = _fitting([list_entry(line) for line in lines])
    shown = lines[: len(page)]
    result: dict[str, Any] = {"DatasetEntries": page}
    if number + len(page) < total:
        offset += sum(len(line) + 1 for line in shown)
        result["NextToken"] = tokens.encode(_OPERATION, [folder, number + len(page), offset])
    return result


def _position(dataset: Dataset, token: str | None) -> tuple[str, int, int]:
    current = dataset.contents.folder if dataset.contents else ""
    if not token:
        return current, 0, 0
    folder, number, offset = tokens.decode(_OPERATION, token, str, int, int)
    if folder != current and not folder.startswith(contents(dataset.id.path, "")):
        raise tokens.invalid()
    if number < 0 or offset < 0:
        raise tokens.invalid()
    return folder, number, offset


def _lines(
    bucket: Bucket, keys: ContentsKeys, number: int, offset: int, count: int
) -> tuple[list[bytes], int]:
    """Up to `count` lines from entry `number` on, which begins at byte `offset`, and how many entries there are."""
    length = _header(bucket, keys.index).columns["length"]
    count = min(count, length.count - number)
    if count <= 0:
        raise tokens.invalid()
    sizes = np.frombuffer(
        bucket.get_range(keys.index, *length.byte_range(number, count)), length.dtype
    )
    ends = np.cumsum(sizes.astype(np.int64) + 1).tolist()
    text = bucket.get_range(keys.manifest, offset, ends[-1])
    starts = [0, *ends[:-1]]
    return [text[start : end - 1] for start, end in zip(starts, ends, strict=True)], length.count


@lru_cache(maxsize=64)
def _header(bucket: Bucket, key: str) -> columns.Header:
    """Contents never change, so their headers can be kept."""
    start = bucket.get_range(key, 0, _HEADER_BYTES)
    size = columns.header_size(start)
    if size > len(start):
        start += bucket.get_range(key, len(start), size - len(start))
    return columns.read_header(start)


def _fitting(entries: list[str]) -> list[str]:
    """As many as the answer takes, at least one."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(orjson.dumps(orjson.dumps(entry).decode()))
        if size > MAX_ANSWER_BYTES and count:
            return entries[:count]
    return entries
