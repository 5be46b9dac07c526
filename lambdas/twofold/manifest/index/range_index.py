"""The index of the lines of a byte range of a source manifest.

A range index covers all lines with a start in the range, accepted or rejected, in order. Each range numbers label names and
label sets separately; `resolve` renumbers both.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index import columns
from twofold.manifest.line.errors import RejectionReason

ACCEPTED = 0
REASONS = tuple(RejectionReason)
MAX_DETAILS = 1_000
MAX_BUCKETS = 2


@dataclass(frozen=True, slots=True)
class RangeIndex:
    """Columns of L lines.

    `start` uint64[L]: offset in the source. `length` uint32[L]: bytes without the terminator, 0 for a line over MAX_LINE_BYTES.
    `source` uint64[L]: hash of the source-ref. `file_name` uint32[L]: hash of the file name. `digest` uint64[L]: hash of the
    line. `reason` uint8[L]: ACCEPTED, or 1 + the position in REASONS. `label_set`, `flags`, `codes`, `boxes`, `set_offsets` and
    `set_labels` are as in a DatasetIndex. For a rejected line these and the hashes of the source-ref have no meaning.
    `details`: (line of this range, sentence) for the first MAX_DETAILS rejected lines. `buckets`: up to MAX_BUCKETS buckets of
    images, each with the first line of this range in the bucket. `variant` uint64[V, 2]: lines with a source-ref that is not
    normalized, and the hash of the normalized source-ref.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    source: NDArray[np.uint64]
    file_name: NDArray[np.uint32]
    digest: NDArray[np.uint64]
    reason: NDArray[np.uint8]
    label_set: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    boxes: NDArray[np.uint8]
    variant: NDArray[np.uint64]
    set_offsets: NDArray[np.uint32]
    set_labels: NDArray[np.uint32]
    names: tuple[str, ...]
    details: tuple[tuple[int, str], ...]
    buckets: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return self.start.size

    def encode(self) -> bytes:
        meta = {"names": self.names, "details": self.details, "buckets": self.buckets}
        arrays = {name: getattr(self, name).ravel() for name in _COLUMNS}
        return columns.pack_columns(meta, arrays)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read an encoded index. Raises DamagedObjectError."""
        meta, arrays = columns.unpack_columns(data)
        return cls(
            **{**arrays, "variant": arrays["variant"].reshape(-1, 2)},
            names=tuple(meta["names"]),
            details=tuple((line, detail) for line, detail in meta["details"]),
            buckets=tuple((bucket, line) for bucket, line in meta["buckets"]),
        )


_COLUMNS = tuple(
    name for name in RangeIndex.__dataclass_fields__ if name not in ("names", "details", "buckets")
)
