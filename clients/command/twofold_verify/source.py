"""Compare the source manifest with the manifests of the split, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twofold_verify.files import read_lines
from twofold_verify.keys import normalize_source_ref
from twofold_verify.lines import LineError, Reason, read_entry


@dataclass(slots=True)
class SourceManifest:
    """The manifest that was split: line numbers of entries by normalized source-ref, and (line, reason) of rejected lines."""

    path: Path
    lines: int = 0
    line_numbers: dict[str, int] = field(default_factory=dict)
    dropped: list[tuple[int, Reason]] = field(default_factory=list)
    mismatch: str = ""
    """The first difference between the source and the split; empty if there is none."""


def read_source(path: Path, manifests: Sequence[Path]) -> SourceManifest:
    """Compares the source with the manifests of the split, line by line, byte for byte. Raises UnreadableError."""
    source = SourceManifest(path)
    sides = [_LineCursor(manifest) for manifest in manifests]
    for number, line in enumerate(read_lines(path), 1):
        source.lines = number
        content = _strip_terminator(line, first=number == 1)
        try:
            source_ref = _read_source_ref(content, source)
        except LineError as error:
            source.dropped.append((number, error.reason))
            continue
        source.line_numbers[source_ref] = number
        side = next((side for side in sides if side.line == content + b"\n"), None)
        if side is None:
            source.mismatch = (
                source.mismatch or f"Line {number} of {path} is in no manifest, or out of order."
            )
        else:
            side.advance()
    for side in sides:
        if side.line and not source.mismatch:
            source.mismatch = f"{side.path} has a line that is not in {path}, or out of order."
    return source


class _LineCursor:
    """A cursor on the lines of a manifest; `line` is empty after the last line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: Iterator[bytes] = read_lines(path)
        self.line = b""
        self.advance()

    def advance(self) -> None:
        self.line = next(self._lines, b"")


def _strip_terminator(line: bytes, *, first: bool) -> bytes:
    content = line.removesuffix(b"\n").removesuffix(b"\r")
    return content.removeprefix(b"\xef\xbb\xbf") if first else content


def _read_source_ref(content: bytes, source: SourceManifest) -> str:
    """Returns the normalized source-ref. Raises LineError for a rejected line."""
    document, _ = read_entry(content)
    source_ref = normalize_source_ref(document["source-ref"])
    if source_ref in source.line_numbers:
        raise LineError(Reason.DUPLICATE, "has the source-ref of an earlier line")
    return source_ref
