"""What AWS's services owe to Java: how a pattern of the model matches, and how a value reads in a message."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ECHO_LIMIT = 256
"""Characters of a caller's value that a message repeats."""

_ECHO_DEPTH = 8

# One private character stands for every non-ASCII character of a major category, see _project.
_CATEGORY_MARKS = {"L": "\ue000", "Z": "\ue001", "N": "\ue002"}
_OTHER_MARK = "\ue003"
_CATEGORY_CLASSES = {r"\p{L}": "A-Za-z\ue000", r"\p{Z}": " \ue001", r"\p{N}": "0-9\ue002"}
_DOT = "[^\n\r\u0085\u2028\u2029]"
_PIECE = re.compile(r"\\p\{[A-Z]\}|\\.|\[|\]|\.|[^\\\[\].]+", re.DOTALL)

_UNSAFE = re.compile("[\\\\'\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def matches(pattern: str, value: str) -> bool:
    """Java's `value.matches(pattern)` for the patterns of the model: the whole value, ASCII `\\d \\s \\w`, a dot that
    stops at any line terminator, and the classes `\\p{L}`, `\\p{Z}` and `\\p{N}`."""
    subject = _project(value) if r"\p{" in pattern else value
    return _compiled(pattern).fullmatch(subject) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translated(pattern)), re.ASCII)


def _translated(pattern: str) -> Iterator[str]:
    inside_class = False
    for piece in _PIECE.findall(pattern):
        inside_class = piece == "[" or (inside_class and piece != "]")
        if piece == "." and not inside_class:
            yield _DOT
        else:
            yield _CATEGORY_CLASSES.get(piece, piece)


def _project(value: str) -> str:
    """`re` has no category classes; a range list of them would take 0.2 s to build, marks take none."""
    return "".join(char if char.isascii() else _mark(char) for char in value)


def _mark(char: str) -> str:
    return _CATEGORY_MARKS.get(unicodedata.category(char)[0], _OTHER_MARK)


def text(value: object) -> str:
    """Java's `toString()` of a JSON value, at most ECHO_LIMIT characters of it, unable to leave its quotes."""
    plain = _cut(_pieces(value))
    return _UNSAFE.sub(_escape, plain)


def _cut(pieces: Iterator[str]) -> str:
    head = ""
    for piece in pieces:
        head += piece[: ECHO_LIMIT + 1]
        if len(head) > ECHO_LIMIT:
            return head[:ECHO_LIMIT] + "..."
    return head


def _pieces(value: object, depth: int = 0) -> Iterator[str]:
    if depth > _ECHO_DEPTH:
        yield "..."
        return
    match value:
        case dict():
            members = ((f"{str(k)[:ECHO_LIMIT]}=", v) for k, v in value.items())
            yield from _joined("{", members, "}", depth)
        case list():
            yield from _joined("[", (("", item) for item in value), "]", depth)
        case bytes():
            yield f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case bool():
            yield str(value).lower()
        case None:
            yield "null"
        case _:
            yield str(value)


def _joined(
    opening: str, items: Iterator[tuple[str, object]], closing: str, depth: int
) -> Iterator[str]:
    yield opening
    for number, (prefix, item) in enumerate(items):
        yield (", " if number else "") + prefix
        yield from _pieces(item, depth + 1)
    yield closing


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return "\\" + char if char in "\\'" else f"\\u{ord(char):04x}"
