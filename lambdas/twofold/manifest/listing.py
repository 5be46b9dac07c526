"""A line as ListDatasetEntries returns it, and back.

The service adds `cl-errors` to the object at fault and to the root, and `cl-metadata` last. They are written into the
text of the line after the last member of their object; all the rest stays byte for byte, so a listed line sent back in
an update is, without them, the line that was stored. Both names belong to the service where it writes them: at the root,
in its members, and in the boxes of `annotations`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import orjson

from twofold.manifest.attributes import examine
from twofold.manifest.document import Rejection, load, parse
from twofold.manifest.faults import Fault, Path
from twofold.manifest.scanner import Member, elements, members

ERRORS = "cl-errors"
METADATA = "cl-metadata"

_ROOT_ADDITIONS = frozenset({ERRORS, METADATA})
_ADDITIONS = frozenset({ERRORS})

Edit = tuple[int, int, str]


def list_entry(line: bytes) -> str:
    """The line with what the service knows of it. Raises ValueError for a line that `read_entry` rejects."""
    document = parse(line)
    if isinstance(document, Rejection):
        raise ValueError(document.detail)
    findings = examine(document)
    text = strip_annotations(line).decode().strip()
    additions: dict[Path, list[str]] = defaultdict(list)
    for path, faults in _by_path(findings.faults).items():
        additions[path].append(f'"{ERRORS}":{_told(faults)}')
    labeled = "true" if findings.labeled else "false"
    additions[()].append(f'"{METADATA}":{{"is_labeled":{labeled}}}')
    return _apply(text, [_insertion(text, path, items) for path, items in additions.items()])


def strip_annotations(line: bytes) -> bytes:
    """The line without what `list_entry` added; any other line, also one that is no JSON, as it is."""
    if b"cl-" not in line and b"\\" not in line:
        return line
    if isinstance(load(line), Rejection):
        return line
    text = line.decode()
    edits = [edit for spans in _annotations(text) for edit in spans]
    return _apply(text, edits).encode() if edits else line


def _by_path(faults: Iterable[Fault]) -> dict[Path, list[Fault]]:
    grouped: dict[Path, list[Fault]] = defaultdict(list)
    for fault in faults:
        grouped[fault.path].append(fault)
    return grouped


def _told(faults: Iterable[Fault]) -> str:
    return orjson.dumps(
        [{"code": fault.code, "message": fault.message} for fault in faults]
    ).decode()


def _insertion(text: str, path: Path, items: Sequence[str]) -> Edit:
    at = text.index("{")
    for step in path:
        at = _step(text, at, step)
    held = members(text, at)
    joined = ",".join(items)
    return (held[-1].end, held[-1].end, "," + joined) if held else (at + 1, at + 1, joined)


def _step(text: str, at: int, step: str | int) -> int:
    if isinstance(step, int):
        return elements(text, at)[step].value
    return next(member.value for member in members(text, at) if member.key == step)


def _annotations(text: str) -> Iterator[list[Edit]]:
    root = members(text, text.index("{"))
    yield _removals(text, root, _ROOT_ADDITIONS)
    for member in root:
        if text[member.value] == "{" and member.key not in _ROOT_ADDITIONS:
            inner = members(text, member.value)
            yield _removals(text, inner, _ADDITIONS)
            for array in inner:
                if array.key == "annotations" and text[array.value] == "[":
                    yield from _box_annotations(text, array)


def _box_annotations(text: str, array: Member) -> Iterator[list[Edit]]:
    for box in elements(text, array.value):
        if text[box.value] == "{":
            yield _removals(text, members(text, box.value), _ADDITIONS)


def _removals(text: str, held: Sequence[Member], additions: frozenset[str]) -> list[Edit]:
    """Cuts each addition with the comma before it, or after it where nothing that stays precedes it."""
    edits: list[Edit] = []
    stays = False
    for index, member in enumerate(held):
        if member.key not in additions:
            stays = True
        elif stays:
            edits.append((text.index(",", held[index - 1].end), member.end, ""))
        else:
            after = held[index + 1].start if index + 1 < len(held) else member.end
            edits.append((member.start, after, ""))
    return edits


def _apply(text: str, edits: Iterable[Edit]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, replacement in sorted(edits):
        pieces += (text[done:start], replacement)
        done = end
    return "".join((*pieces, text[done:]))
