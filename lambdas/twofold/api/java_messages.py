"""Java's regular expressions and `toString()`, as in the validation and the messages of AWS's services."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ECHO_LIMIT = 256
"""Maximum number of characters of a caller's value in a message."""

_ECHO_DEPTH = 8

# One private-use character represents every non-ASCII character of a general category; see _replace_non_ascii.
_CATEGORY_MARKS = {"L": "\ue000", "Z": "\ue001", "N": "\ue002"}
_OTHER_MARK = "\ue003"
_CATEGORY_CLASSES = {r"\p{L}": "A-Za-z\ue000", r"\p{Z}": " \ue001", r"\p{N}": "0-9\ue002"}
_DOT = "[^\n\r\u0085\u2028\u2029]"
_ELEMENT = re.compile(r"\\p\{[A-Z]\}|\\.|\[|\]|\.|[^\\\[\].]+", re.DOTALL)

_UNSAFE = re.compile("[\\\\'\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def match_pattern(pattern: str, value: str) -> bool:
    """Return Java's `value.matches(pattern)` for a pattern of the model.

    As in Java, the whole value must match, `\\d`, `\\s` and `\\w` are ASCII, and a dot matches no line terminator. Supported
    categories are `\\p{L}`, `\\p{Z}` and `\\p{N}`.
    """
    subject = _replace_non_ascii(value) if r"\p{" in pattern else value
    return _compile(pattern).fullmatch(subject) is not None


@lru_cache(maxsize=64)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translate(pattern)), re.ASCII)


def _translate(pattern: str) -> Iterator[str]:
    """Yield the elements of a Java pattern as Python's; a dot in a character class is a plain dot."""
    inside_class = False
    for element in _ELEMENT.findall(pattern):
        inside_class = element == "[" or (inside_class and element != "]")
        if element == "." and not inside_class:
            yield _DOT
        else:
            yield _CATEGORY_CLASSES.get(element, element)


def _replace_non_ascii(value: str) -> str:
    """Replace each non-ASCII character by a mark of the category.

    `re` has no category classes, and building a class from code point ranges takes 0.2 s.
    """
    return "".join(char if char.isascii() else _get_category_mark(char) for char in value)


def _get_category_mark(char: str) -> str:
    return _CATEGORY_MARKS.get(unicodedata.category(char)[0], _OTHER_MARK)


def render_value(value: object) -> str:
    """Return Java's `toString()` of a JSON value, cut after ECHO_LIMIT characters, with quotes and controls escaped."""
    rendered = _truncate(_render_pieces(value))
    return _UNSAFE.sub(_escape, rendered)


def _truncate(pieces: Iterator[str]) -> str:
    head = ""
    for piece in pieces:
        head += piece[: ECHO_LIMIT + 1]
        if len(head) > ECHO_LIMIT:
            return head[:ECHO_LIMIT] + "..."
    return head


def _render_pieces(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the text in pieces: `_truncate` can stop early in a large or deep value."""
    if depth > _ECHO_DEPTH:
        yield "..."
        return
    match value:
        case dict():
            members = ((f"{str(k)[:ECHO_LIMIT]}=", v) for k, v in value.items())
            yield from _render_items("{", members, "}", depth)
        case list():
            yield from _render_items("[", (("", item) for item in value), "]", depth)
        case bytes():
            yield f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case bool():
            yield str(value).lower()
        case None:
            yield "null"
        case _:
            yield str(value)


def _render_items(
    opening: str, items: Iterator[tuple[str, object]], closing: str, depth: int
) -> Iterator[str]:
    yield opening
    for number, (prefix, item) in enumerate(items):
        yield (", " if number else "") + prefix
        yield from _render_pieces(item, depth + 1)
    yield closing


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return "\\" + char if char in "\\'" else f"\\u{ord(char):04x}"
