"""The manifest that was split, compared with both manifests line by line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twofold_verify.files import read_lines
from twofold_verify.keys import canonical
from twofold_verify.lines import LineError, Reason, read_entry


@dataclass(slots=True)
class Source:
    """The manifest that was split: the place of each entry by its canonical source-ref; (line, reason) of dropped lines."""

    path: Path
    lines: int = 0
    places: dict[str, int] = field(default_factory=dict)
    dropped: list[tuple[int, Reason]] = field(default_factory=list)
    lost: str = ""
    """Why the entries are not those of the split, in its order; empty where they are."""


def read_source(path: Path, train: Path, test: Path) -> Source:
    """Compares the source with both manifests, line by line, byte for byte. Raises UnreadableError."""
    source = Source(path)
    sides = [_Ahead(train), _Ahead(test)]
    for number, line in enumerate(read_lines(path), 1):
        source.lines = number
        content = _strip_terminator(line, first=number == 1)
        try:
            source_ref = _read_source_ref(content, source)
        except LineError as error:
            source.dropped.append((number, error.reason))
            continue
        source.places[source_ref] = number
        side = next((side for side in sides if side.line == content + b"\n"), None)
        if side is None:
            source.lost = (
                source.lost
                or f"Line {number} of {path} is in neither manifest, or not in its order."
            )
        else:
            side.advance()
    for side in sides:
        if side.line and not source.lost:
            source.lost = f"{side.path} has a line that is not in {path}, or not in its order."
    return source


class _Ahead:
    """The lines of a manifest, one at a time; an empty one after the last."""

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


def _read_source_ref(content: bytes, source: Source) -> str:
    """Raises LineError for a line that is dropped."""
    document, _ = read_entry(content)
    source_ref = canonical(document["source-ref"])
    if source_ref in source.places:
        raise LineError(Reason.DUPLICATE, "has a source-ref that was there before")
    return source_ref
