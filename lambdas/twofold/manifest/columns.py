"""A container for named NumPy columns with metadata, checksums and a version.

Layout, little-endian: 8 bytes magic (`TWOFOLD` and the format version), uint64 length of the header, uint64 xxh3-64 of the
header, the header (JSON: `meta`, and for each column its dtype, count, offset and xxh3-64), then the columns, each at a
multiple of 64 bytes from the start of the object, with zeros between them and nothing after them. A column, or a part of
one, can be read by a byte range.
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
"""1: without the codes of entries with errors. What this release writes is kept in tests/golden, for each version."""
_PREAMBLE = struct.Struct("<7sBQQ")
_ALIGNMENT = 64

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    dtype: np.dtype[Any]
    count: int
    offset: int
    checksum: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * self.dtype.itemsize

    def byte_range(self, first: int, count: int) -> tuple[int, int]:
        """Where the values [first, first + count) lie in the object: (offset, size) in bytes."""
        return self.offset + first * self.dtype.itemsize, count * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Header:
    """`checksum`, in hexadecimal, covers all there is: the header has the checksums of the columns."""

    meta: Mapping[str, Any]
    columns: Mapping[str, Column]
    checksum: str

    def require(self, checksum: str) -> None:
        """Raises DamagedObjectError if this is another object's header; an empty checksum is not known."""
        if checksum and checksum != self.checksum:
            raise DamagedObjectError("The index is not that of these contents.")


def pack(meta: Mapping[str, Any], columns: Columns) -> bytes:
    """One object with all columns; every array is one-dimensional."""
    arrays = {name: _little_endian(column) for name, column in columns.items()}
    descriptions = {
        name: [array.dtype.str, array.size, xxh3_64_intdigest(array.data)]
        for name, array in arrays.items()
    }
    header = json.dumps({"meta": meta, "columns": descriptions}, separators=(",", ":")).encode()
    preamble = _PREAMBLE.pack(_NAME, _VERSION, len(header), xxh3_64_intdigest(header))
    pieces: list[bytes | memoryview] = [preamble, header]
    position = len(preamble) + len(header)
    for array in arrays.values():
        padding = -position % _ALIGNMENT
        pieces += [b"\0" * padding, array.view(np.uint8).data]
        position += padding + array.nbytes
    return b"".join(pieces)


def _little_endian(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column, column.dtype.newbyteorder("<"))


def header_size(start: bytes) -> int:
    """Bytes of preamble and header, from an object's first 24 bytes or more.

    Raises DamagedObjectError if this is no such object, or one of a newer version.
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


def read_header(start: bytes | memoryview) -> Header:
    """The header, from an object's first `header_size` bytes or more; raises DamagedObjectError."""
    end = header_size(bytes(start[: _PREAMBLE.size]))
    text = bytes(start[_PREAMBLE.size : end])
    checksum = _PREAMBLE.unpack_from(start)[3]
    if len(text) != end - _PREAMBLE.size or xxh3_64_intdigest(text) != checksum:
        raise DamagedObjectError("The header of the index does not match its checksum.")
    described = json.loads(text)
    columns: dict[str, Column] = {}
    position = end
    for name, (dtype, count, column_checksum) in described["columns"].items():
        position += -position % _ALIGNMENT
        column = Column(np.dtype(dtype), count, position, column_checksum)
        columns[name] = column
        position += column.size
    return Header(described["meta"], columns, f"{checksum:016x}")


def unpack(data: bytes) -> tuple[Mapping[str, Any], dict[str, NDArray[Any]]]:
    """Metadata and read-only columns that share the memory of `data`; raises DamagedObjectError."""
    header = read_header(memoryview(data))
    _require_layout(data, header)
    return header.meta, {
        name: _column(data, name, column) for name, column in header.columns.items()
    }


def _require_layout(data: bytes, header: Header) -> None:
    """What no checksum covers: the zeros between the columns, and that nothing follows the last one."""
    end = header_size(data[: _PREAMBLE.size])
    for name, column in header.columns.items():
        if any(data[end : column.offset]):
            raise DamagedObjectError(f"The padding before the column '{name}' is not empty.")
        end = column.offset + column.size
    if len(data) != end:
        raise DamagedObjectError(f"The index has {len(data)} bytes; by its header it has {end}.")


def _column(data: bytes, name: str, column: Column) -> NDArray[Any]:
    view = memoryview(data)[column.offset : column.offset + column.size]
    require_intact(view, name, column)
    return np.frombuffer(view, dtype=column.dtype)


def require_intact(data: bytes | memoryview, name: str, column: Column) -> None:
    """Raises DamagedObjectError unless these are all bytes of the column."""
    if xxh3_64_intdigest(data) != column.checksum:
        raise DamagedObjectError(f"The column '{name}' of the index does not match its checksum.")
