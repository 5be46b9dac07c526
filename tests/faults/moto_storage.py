"""Direct access to moto's data, for checks after every write: a request would be too slow.

Only this module depends on moto's own classes; moto is pinned.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import moto.backends
from boto3.dynamodb.types import TypeDeserializer

from tests.support.in_process_api import ACCOUNT
from twofold.settings import TIME_TO_LIVE

Item = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """Items of the table and objects of the bucket."""

    items: Any
    objects: dict[str, bytes]


@dataclass(frozen=True)
class MotoStorage:
    """The table and the bucket of a name."""

    name: str

    def list_items(self, partition: str) -> list[Item]:
        return [decode_item(raw) for key, raw in self._iterate_items() if key == partition]

    def list_all_items(self) -> list[Item]:
        return [decode_item(raw) for _, raw in self._iterate_items()]

    def get_object(self, key: str, bucket: str = "") -> bytes:
        stored = self._get_bucket(bucket or self.name).keys[key]
        value: bytes = stored.value
        return value

    def has_object(self, key: str) -> bool:
        return key in self._get_bucket(self.name).keys

    def overwrite_object(self, key: str, value: bytes) -> None:
        """Damage an object and keep the ETag. S3's checksum is removed; otherwise the SDK would detect the damage first."""
        stored = self._get_bucket(self.name).keys[key]
        stored.value = value
        stored.checksum_algorithm = stored.checksum_value = None

    def put_object(self, key: str, value: bytes) -> None:
        _get_s3_backend().put_object(self.name, key, value)

    def remove_object(self, key: str) -> None:
        self._get_bucket(self.name).keys.pop(key)

    def list_keys(self) -> list[str]:
        return sorted(self._get_bucket(self.name).keys)

    def take_snapshot(self) -> Snapshot:
        objects = {key: self.get_object(key) for key in self.list_keys()}
        return Snapshot(copy.deepcopy(self._get_table().items), objects)

    def restore(self, saved: Snapshot) -> None:
        """Restore the items and objects of a snapshot."""
        self._get_table().items = copy.deepcopy(saved.items)
        bucket = self._get_bucket(self.name)
        for key in [key for key in bucket.keys if key not in saved.objects]:
            bucket.keys.pop(key)
        for key, value in saved.objects.items():
            if key not in bucket.keys:
                self.put_object(key, value)
            elif bucket.keys[key].value != value:
                bucket.keys[key].value = value
        bucket.multiparts.clear()

    def expire_items(self, second: int) -> None:
        """Delete the items whose time to live is over at a second of the epoch. DynamoDB may take days."""
        for items in self._get_table().items.values():
            for key, item in list(items.items()):
                expires = decode_item(item.to_json()["Attributes"]).get(TIME_TO_LIVE)
                if expires is not None and expires <= second:
                    del items[key]

    def clear_items(self) -> None:
        self._get_table().items.clear()

    def _iterate_items(self) -> Iterator[tuple[str, Any]]:
        for partition, items in self._get_table().items.items():
            for item in items.values():
                yield partition.value, item.to_json()["Attributes"]

    def _get_table(self) -> Any:
        return moto.backends.get_backend("dynamodb")[ACCOUNT]["us-east-1"].tables[self.name]

    def _get_bucket(self, name: str) -> Any:
        return _get_s3_backend().buckets[name]


def _get_s3_backend() -> Any:
    return moto.backends.get_backend("s3")[ACCOUNT]["aws"]


def decode_item(raw: Any) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in raw.items()}
