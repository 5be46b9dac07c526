"""What moto holds, looked at and put back without requests: for what is done after every write, thousands of times.

It leans on moto's own classes (moto is pinned), and in this file only.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import moto.backends
from boto3.dynamodb.types import TypeDeserializer

from tests.handlers.in_process import ACCOUNT
from twofold.settings import TIME_TO_LIVE

Item = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    items: Any
    objects: dict[str, bytes]


@dataclass(frozen=True)
class Memory:
    """The table and the bucket of a name."""

    name: str

    def items(self, partition: str) -> list[Item]:
        return [plain(raw) for key, raw in self._raw() if key == partition]

    def every_item(self) -> list[Item]:
        return [plain(raw) for _, raw in self._raw()]

    def object(self, key: str, bucket: str = "") -> bytes:
        found = self._bucket(bucket or self.name).keys[key]
        value: bytes = found.value
        return value

    def has(self, key: str) -> bool:
        return key in self._bucket(self.name).keys

    def write(self, key: str, value: bytes) -> None:
        """Behind the service's back: the object's ETag stays, but not S3's checksum, by which an SDK would notice first."""
        found = self._bucket(self.name).keys[key]
        found.value = value
        found.checksum_algorithm = found.checksum_value = None

    def remove(self, key: str) -> None:
        self._bucket(self.name).keys.pop(key)

    def keys(self) -> list[str]:
        return sorted(self._bucket(self.name).keys)

    def save(self) -> Saved:
        objects = {key: self.object(key) for key in self.keys()}
        return Saved(copy.deepcopy(self._table().items), objects)

    def restore(self, saved: Saved) -> None:
        """Items and objects as they were."""
        self._table().items = copy.deepcopy(saved.items)
        bucket = self._bucket(self.name)
        for key in [key for key in bucket.keys if key not in saved.objects]:
            bucket.keys.pop(key)
        for key, value in saved.objects.items():
            if key not in bucket.keys:
                _s3().put_object(self.name, key, value)
            elif bucket.keys[key].value != value:
                bucket.keys[key].value = value
        bucket.multiparts.clear()

    def expire(self, second: int) -> None:
        """Deletes the items whose time to live has passed at a second of the epoch; DynamoDB takes up to days over it."""
        for items in self._table().items.values():
            for key, item in list(items.items()):
                ends = plain(item.to_json()["Attributes"]).get(TIME_TO_LIVE)
                if ends is not None and ends <= second:
                    del items[key]

    def clear(self) -> None:
        """No items."""
        self._table().items.clear()

    def _raw(self) -> Iterator[tuple[str, Any]]:
        for partition, items in self._table().items.items():
            for item in items.values():
                yield partition.value, item.to_json()["Attributes"]

    def _table(self) -> Any:
        return moto.backends.get_backend("dynamodb")[ACCOUNT]["us-east-1"].tables[self.name]

    def _bucket(self, name: str) -> Any:
        return _s3().buckets[name]


def _s3() -> Any:
    return moto.backends.get_backend("s3")[ACCOUNT]["aws"]


def plain(raw: Any) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in raw.items()}
