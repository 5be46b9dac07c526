"""Add the service's members to a line for ListDatasetEntries, and remove the members from a line of an update.

The service adds `cl-errors` to each object with an error and to the root, and `cl-metadata` at the end of the root. The
members are written into the text, after the last member of the object; all other bytes stay. So a client can send a listed
line back in an update: without the added members the line equals the stored line. Both names belong to the service at the
root, in the members of the root, and in the boxes of `annotations`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from twofold.manifest.line.attributes import examine_document
from twofold.manifest.line.document import parse_line, parse_object
from twofold.manifest.line.errors import JsonPath, LineError, Rejection
from twofold.manifest.line.json_outline import JsonItem, JsonOutline

ERRORS_KEY = "cl-errors"
METADATA_KEY = "cl-metadata"

_ROOT_KEYS = frozenset({ERRORS_KEY, METADATA_KEY})
_OBJECT_KEYS = frozenset({ERRORS_KEY})


class TextEdit(NamedTuple):
    """Replaces `text[start:end]`."""

    start: int
    end: int
    replacement: str


def add_service_members(line: bytes) -> str:
    """Return the line with errors and `is_labeled`. Raises ValueError for a rejected line."""
    document = parse_line(line)
    if isinstance(document, Rejection):
        raise ValueError(document.detail)
    findings = examine_document(document)
    members: dict[JsonPath, list[str]] = defaultdict(list)
    for path, errors in _collect_by_path(findings.errors).items():
        members[path].append(f'"{ERRORS_KEY}":{_serialize_errors(errors)}')
    labeled = "true" if findings.labeled else "false"
    members[()].append(f'"{METADATA_KEY}":{{"is_labeled":{labeled}}}')
    # A stored line may have the service's members: a client can send them in a manifest.
    outline = JsonOutline(strip_service_members(line).decode().strip())
    edits = [_make_insertion(outline, path, texts) for path, texts in members.items()]
    return _apply_edits(outline.text, edits)


def strip_service_members(line: bytes) -> bytes:
    """Return the line without the members of `add_service_members`. Keeps a line without such members, even invalid JSON."""
    # A backslash may spell one of the keys with escapes.
    if b"cl-" not in line and b"\\" not in line:
        return line
    if isinstance(parse_object(line), Rejection):
        return line
    outline = JsonOutline(line.decode())
    edits = list(_find_removals(outline))
    return _apply_edits(outline.text, edits).encode() if edits else line


def _collect_by_path(errors: Iterable[LineError]) -> dict[JsonPath, list[LineError]]:
    errors_by_path: dict[JsonPath, list[LineError]] = defaultdict(list)
    for error in errors:
        errors_by_path[error.path].append(error)
    return errors_by_path


def _serialize_errors(errors: Iterable[LineError]) -> str:
    distinct = dict.fromkeys(errors)
    members = [{"code": error.code, "message": error.message} for error in distinct]
    return orjson.dumps(members).decode()


def _make_insertion(outline: JsonOutline, path: JsonPath, members: Sequence[str]) -> TextEdit:
    joined = ",".join(members)
    items = outline.list_items(path)
    if items:
        return TextEdit(items[-1].end, items[-1].end, "," + joined)
    start = outline.find_value(path) + 1
    return TextEdit(start, start, joined)


def _find_removals(outline: JsonOutline) -> Iterator[TextEdit]:
    root = outline.list_items(())
    yield from _remove_items(outline.text, root, _ROOT_KEYS)
    for member in root:
        if outline.text[member.value] == "{" and member.key not in _ROOT_KEYS:
            items = outline.list_items((member.key,))
            yield from _remove_items(outline.text, items, _OBJECT_KEYS)
            for item in items:
                if item.key == "annotations" and outline.text[item.value] == "[":
                    yield from _find_box_removals(outline, (member.key, item.key))


def _find_box_removals(outline: JsonOutline, path: JsonPath) -> Iterator[TextEdit]:
    for index, box in enumerate(outline.list_items(path)):
        if outline.text[box.value] == "{":
            items = outline.list_items((*path, index))
            yield from _remove_items(outline.text, items, _OBJECT_KEYS)


def _remove_items(text: str, items: Sequence[JsonItem], keys: frozenset[str]) -> Iterator[TextEdit]:
    """Remove each item with a key in `keys`, and the comma before the item, or after the item if no remaining item precedes."""
    follows_remaining = False
    for index, item in enumerate(items):
        if item.key not in keys:
            follows_remaining = True
        elif follows_remaining:
            yield TextEdit(text.index(",", items[index - 1].end), item.end, "")
        else:
            is_last = index + 1 == len(items)
            yield TextEdit(item.start, item.end if is_last else items[index + 1].start, "")


def _apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    parts: list[str] = []
    position = 0
    # Edits do not overlap: copy the text between them.
    for start, end, replacement in sorted(edits):
        parts += (text[position:start], replacement)
        position = end
    return "".join((*parts, text[position:]))
