"""Bodies of requests, in any framing."""

import io
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator import request_bodies
from local.emulator.request_bodies import BodyTooLargeError, UnknownEncodingError, read_body

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


def read(data: bytes, **headers: str) -> bytes:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(data), **(headers or CHUNKED)}
    return read_body(environ)


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    extension=st.sampled_from([b"", b";name", b' ; name="a;b"']),
    trailers=st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"]),
)
def test_chunks_are_joined_and_each_cut_is_noticed(
    chunks: list[bytes], extension: bytes, trailers: bytes
) -> None:
    """Extensions and trailers are skipped (RFC 9112, sections 7.1.1 and 7.1.2)."""
    framed = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    framed += b"0" + extension + b"\r\n" + trailers + b"\r\n"
    assert read(framed + b"GET / HTTP/1.1\r\n") == b"".join(chunks)
    for end in range(len(framed) - 1):
        with pytest.raises(ValueError, match=r"it ends|it has|no size|does not end"):
            read(framed[:end])


@pytest.mark.parametrize("size", [b"ffffffffff", b"140000001"])
def test_an_endless_chunk_is_rejected_without_reading(size: bytes) -> None:
    with pytest.raises(BodyTooLargeError):
        read(size + b"\r\nabc")


def test_the_limit_counts_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "MAX_BODY_BYTES", 5)
    assert read(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") == b"abcde"
    with pytest.raises(BodyTooLargeError):
        read(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "headers"),
    [(b"40000000\r\nabc", CHUNKED), (b"abc", {"CONTENT_LENGTH": str(1 << 30)})],
)
def test_memory_is_taken_for_received_bytes_only(data: bytes, headers: dict[str, str]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="it has 3 of 1073741824 bytes"):
            read(data, **headers)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, chunked", "identity", ""])
def test_another_transfer_encoding_is_not_implemented(encoding: str) -> None:
    with pytest.raises(UnknownEncodingError):
        read(b"abc", HTTP_TRANSFER_ENCODING=encoding)
