"""A folder in place of Twofold's bucket, to measure the memory and time of a function without S3."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from twofold.records import SourceObject
from twofold.stores.objects import Bucket, Part


class FolderBucket(Bucket):
    """A bucket in a folder; `name` is the path. Multipart uploads leave their parts only."""

    __slots__ = ()

    def get(self, key: str) -> bytes:
        return self._get_path(key).read_bytes()

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        with self._get_path(key).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def get_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        return map(self.get, keys)

    def get_ranges(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [self.get_range(key, *span) for span in spans]

    def put(self, key: str, body: bytes | bytearray | memoryview) -> None:
        self.make_parent(key).write_bytes(body)

    def pin(self, key: str) -> SourceObject:
        size = self._get_path(key).stat().st_size
        return SourceObject(bucket=self.name, key=key, size=size, etag="unchanged")

    def begin_upload(self, key: str) -> str:
        return f"upload of {key}"

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> Part:
        self.put(f"{key}.{number}", body)
        return Part(number, str(len(body)))

    def make_parent(self, key: str) -> Path:
        """The path of an object, after its parent folder has been created."""
        path = self._get_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _get_path(self, key: str) -> Path:
        return Path(self.name) / key
