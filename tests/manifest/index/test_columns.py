"""The container returns the packed columns and metadata unchanged, and detects any damage."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.index.columns import (
    pack_columns,
    read_header,
    read_header_size,
    unpack_columns,
)

dtypes = (
    arrays.boolean_dtypes()
    | arrays.integer_dtypes(endianness="?")
    | arrays.unsigned_integer_dtypes(endianness="?")
    | arrays.floating_dtypes(endianness="?")
)
columns = st.dictionaries(
    st.text(max_size=5),
    dtypes.flatmap(lambda dtype: arrays.arrays(dtype, st.integers(0, 40))),
    max_size=5,
)
metadata = st.dictionaries(st.text(), st.lists(st.text() | st.integers()) | st.none(), max_size=3)


def make_object() -> bytes:
    return pack_columns(
        {"names": ["owl", "emu"]},
        {
            "flags": np.array([1, 0, 3], np.uint8),
            "none": np.empty(0, np.uint32),
            "source": np.array([1 << 63, 2], np.uint64),
            "boxes": np.empty(0, np.uint8),
        },
    )


@settings(deadline=None)
@given(metadata, columns)
def test_metadata_and_columns_of_every_dtype_come_back_as_they_were(
    meta: dict[str, Any], columns: dict[str, NDArray[Any]]
) -> None:
    unpacked_meta, unpacked = unpack_columns(pack_columns(meta, columns))
    assert unpacked_meta == meta
    assert list(unpacked) == list(columns)
    for name, column in columns.items():
        assert unpacked[name].dtype.newbyteorder("=") == column.dtype.newbyteorder("=")
        np.testing.assert_array_equal(unpacked[name], column)


@settings(deadline=None)
@given(columns)
def test_columns_are_little_endian_aligned_and_readable_by_byte_range(
    columns: dict[str, NDArray[Any]],
) -> None:
    data = pack_columns({}, columns)
    start = data[: read_header_size(data[:24])]
    for name, column in read_header(start).columns.items():
        assert column.offset % 64 == 0
        assert column.dtype.newbyteorder("<") == column.dtype
        offset, size = column.compute_byte_range(1, column.count - 1) if column.count else (0, 0)
        part = np.frombuffer(data[offset : offset + size], column.dtype)
        np.testing.assert_array_equal(part, columns[name][1:])


def test_a_column_that_is_a_stride_of_another_is_packed_as_it_reads() -> None:
    _, unpacked = unpack_columns(
        pack_columns({}, {"every other": np.arange(10, dtype=np.uint32)[::2]})
    )
    assert unpacked["every other"].tolist() == [0, 2, 4, 6, 8]


def test_any_flipped_bit_is_noticed() -> None:
    data = make_object()
    for position in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(DamagedObjectError):
                unpack_columns(bytes(damaged))


def test_any_truncation_is_noticed() -> None:
    data = make_object()
    for size in range(len(data)):
        with pytest.raises(DamagedObjectError):
            unpack_columns(data[:size])


def test_bytes_behind_the_last_column_are_noticed() -> None:
    with pytest.raises(DamagedObjectError, match="by its header"):
        unpack_columns(make_object() + b"\0")


def test_a_newer_version_is_refused_by_its_number() -> None:
    data = bytearray(make_object())
    data[7] = 9
    with pytest.raises(DamagedObjectError, match="version 9; this release reads up to 2"):
        unpack_columns(bytes(data))


def test_a_foreign_object_has_another_message_than_a_damaged_index() -> None:
    with pytest.raises(DamagedObjectError, match="not an index of Twofold"):
        unpack_columns(b"PK\x03\x04" + bytes(100))


def test_the_layout_is_the_documented_one() -> None:
    data = make_object()
    name, version, length, _ = struct.unpack_from("<7sBQQ", data)
    assert (name, version) == (b"TWOFOLD", 2)
    first = -(-(24 + length) // 64) * 64
    assert data[first : first + 3] == b"\x01\x00\x03"
