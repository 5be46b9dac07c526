"""A container for named NumPy columns with metadata, checksums and a version: indexes, shard plans, group tables.

Messages call every container an index.

Layout, little-endian: 8 bytes magic (`TWOFOLD` and the format version), uint64 length of the header, uint64 xxh3-64 of the
header, the header (JSON: `meta`, and for each column its dtype, count and xxh3-64), then the columns, each at a
multiple of 64 bytes in the object, with zeros between columns and nothing after the last column. A column, or a part of
a column, can be read by a byte range.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.errors import DamagedObjectError

_NAME = b"TWOFOLD"
_VERSION = 2
"""Version 1 has no error codes of entries. tests/golden holds objects of each version."""
_PREAMBLE = struct.Struct("<7sBQQ")
_ALIGNMENT = 64

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Type, position and checksum of a column in an object."""

    dtype: np.dtype[Any]
    count: int
    offset: int
    checksum: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * self.dtype.itemsize

    def compute_byte_range(self, first: int, count: int) -> tuple[int, int]:
        """Return (offset, size) in bytes of the values [first, first + count) in the object."""
        return self.offset + first * self.dtype.itemsize, count * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class ContainerHeader:
    """`checksum`, in hexadecimal, covers the whole object: the header has the checksums of the columns."""

    meta: Mapping[str, Any]
    columns: Mapping[str, ColumnLayout]
    checksum: str

    def verify_checksum(self, checksum: str) -> None:
        """Raise DamagedObjectError if this is the header of another object. An empty checksum is unknown and always passes."""
        if checksum and checksum != self.checksum:
            raise DamagedObjectError("The index is not that of these contents.")


def pack_columns(meta: Mapping[str, Any], columns: Columns) -> bytes:
    """Return an object with all columns; every array has a single dimension."""
    arrays = {name: _to_little_endian(column) for name, column in columns.items()}
    descriptions = {
        name: [array.dtype.str, array.size, xxh3_64_intdigest(array.data)]
        for name, array in arrays.items()
    }
    header = json.dumps({"meta": meta, "columns": descriptions}, separators=(",", ":")).encode()
    preamble = _PREAMBLE.pack(_NAME, _VERSION, len(header), xxh3_64_intdigest(header))
    chunks: list[bytes | memoryview] = [preamble, header]
    position = len(preamble) + len(header)
    for array in arrays.values():
        padding = -position % _ALIGNMENT
        chunks += [b"\0" * padding, array.view(np.uint8).data]
        position += padding + array.nbytes
    return b"".join(chunks)


def _to_little_endian(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column, column.dtype.newbyteorder("<"))


def read_header_size(start: bytes) -> int:
    """Return the bytes of preamble and header, from at least the first 24 bytes of an object.

    Raises DamagedObjectError if the object is no index, or if a newer release wrote the index.
    """
    if len(start) < _PREAMBLE.size:
        raise DamagedObjectError("The object is too short to be an index.")
    name, version, length, _ = _PREAMBLE.unpack_from(start)
    if name != _NAME:
        raise DamagedObjectError("The object is not an index of Twofold.")
    if version > _VERSION:
        raise DamagedObjectError(
            f"The index has format version {version}; this release reads up to {_VERSION}. "
            "A newer release wrote it: deploy that one again."
        )
    if version < 1:
        raise DamagedObjectError("The index has no format version.")
    return _PREAMBLE.size + int(length)


def read_header(start: bytes | memoryview) -> ContainerHeader:
    """Return the header, from at least the first `read_header_size` bytes of an object. Raises DamagedObjectError."""
    end = read_header_size(bytes(start[: _PREAMBLE.size]))
    text = bytes(start[_PREAMBLE.size : end])
    checksum = _PREAMBLE.unpack_from(start)[3]
    if len(text) != end - _PREAMBLE.size or xxh3_64_intdigest(text) != checksum:
        raise DamagedObjectError("The header of the index does not match its checksum.")
    description = json.loads(text)
    columns: dict[str, ColumnLayout] = {}
    position = end
    for name, (dtype, count, column_checksum) in description["columns"].items():
        # Offsets are not stored: they follow from the sizes and the alignment.
        position += -position % _ALIGNMENT
        column = ColumnLayout(np.dtype(dtype), count, position, column_checksum)
        columns[name] = column
        position += column.size
    return ContainerHeader(description["meta"], columns, f"{checksum:016x}")


def unpack_columns(data: bytes) -> tuple[Mapping[str, Any], dict[str, NDArray[Any]]]:
    """Return metadata, and read-only columns that share the memory of `data`. Raises DamagedObjectError."""
    header = read_header(memoryview(data))
    _require_layout(data, header)
    return header.meta, {
        name: _read_column(data, name, column) for name, column in header.columns.items()
    }


def _require_layout(data: bytes, header: ContainerHeader) -> None:
    """Check the bytes that no checksum covers: zeros between the columns, and nothing after the last column."""
    end = read_header_size(data[: _PREAMBLE.size])
    for name, column in header.columns.items():
        if any(data[end : column.offset]):
            raise DamagedObjectError(f"The padding before the column '{name}' is not empty.")
        end = column.offset + column.size
    if len(data) != end:
        raise DamagedObjectError(f"The index has {len(data)} bytes; by its header it has {end}.")


def _read_column(data: bytes, name: str, column: ColumnLayout) -> NDArray[Any]:
    view = memoryview(data)[column.offset : column.offset + column.size]
    verify_column(view, name, column)
    return np.frombuffer(view, dtype=column.dtype)


def verify_column(data: bytes | memoryview, name: str, column: ColumnLayout) -> None:
    """Raise DamagedObjectError unless `data` are all bytes of the column."""
    if xxh3_64_intdigest(data) != column.checksum:
        raise DamagedObjectError(f"The column '{name}' of the index does not match its checksum.")
