"""A folder in place of Twofold's bucket, so that what a function holds and takes can be measured without a service."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from twofold.records import Source
from twofold.stores.objects import Bucket, Part


class Folder(Bucket):
    """`name` is the path of the folder. Of multipart uploads only the parts are kept."""

    __slots__ = ()

    def get(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        with self._path(key).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def get_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        return map(self.get, keys)

    def get_ranges(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [self.get_range(key, *span) for span in spans]

    def put(self, key: str, body: bytes | bytearray | memoryview) -> None:
        self.made(key).write_bytes(body)

    def pin(self, key: str) -> Source:
        size = self._path(key).stat().st_size
        return Source(bucket=self.name, key=key, size=size, etag="as it is")

    def begin_upload(self, key: str) -> str:
        return f"upload of {key}"

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> Part:
        self.put(f"{key}.{number}", body)
        return Part(number, str(len(body)))

    def made(self, key: str) -> Path:
        """Where the object will be, in a folder that is there."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, key: str) -> Path:
        return Path(self.name) / key
