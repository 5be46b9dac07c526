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
from twofold.manifest.scanner import Item, Outline

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
    additions: dict[Path, list[str]] = defaultdict(list)
    for path, faults in _by_path(findings.faults).items():
        additions[path].append(f'"{ERRORS}":{_told(faults)}')
    labeled = "true" if findings.labeled else "false"
    additions[()].append(f'"{METADATA}":{{"is_labeled":{labeled}}}')
    outline = Outline(strip_annotations(line).decode().strip())
    edits = [_insertion(outline, path, items) for path, items in additions.items()]
    return _apply(outline.text, edits)


def strip_annotations(line: bytes) -> bytes:
    """The line without what `list_entry` added; any other line, also one that is no JSON, as it is."""
    if b"cl-" not in line and b"\\" not in line:
        return line
    if isinstance(load(line), Rejection):
        return line
    outline = Outline(line.decode())
    edits = list(_removals(outline))
    return _apply(outline.text, edits).encode() if edits else line


def _by_path(faults: Iterable[Fault]) -> dict[Path, list[Fault]]:
    grouped: dict[Path, list[Fault]] = defaultdict(list)
    for fault in faults:
        grouped[fault.path].append(fault)
    return grouped


def _told(faults: Iterable[Fault]) -> str:
    distinct = dict.fromkeys(faults)
    errors = [{"code": fault.code, "message": fault.message} for fault in distinct]
    return orjson.dumps(errors).decode()


def _insertion(outline: Outline, path: Path, additions: Sequence[str]) -> Edit:
    joined = ",".join(additions)
    held = outline.items(path)
    if held:
        return held[-1].end, held[-1].end, "," + joined
    inside = outline.opening(path) + 1
    return inside, inside, joined


def _removals(outline: Outline) -> Iterator[Edit]:
    root = outline.items(())
    yield from _cuts(outline.text, root, _ROOT_ADDITIONS)
    for member in root:
        if outline.text[member.value] == "{" and member.key not in _ROOT_ADDITIONS:
            held = outline.items((member.key,))
            yield from _cuts(outline.text, held, _ADDITIONS)
            for item in held:
                if item.key == "annotations" and outline.text[item.value] == "[":
                    yield from _box_removals(outline, (member.key, item.key))


def _box_removals(outline: Outline, path: Path) -> Iterator[Edit]:
    for index, box in enumerate(outline.items(path)):
        if outline.text[box.value] == "{":
            yield from _cuts(outline.text, outline.items((*path, index)), _ADDITIONS)


def _cuts(text: str, held: Sequence[Item], additions: frozenset[str]) -> Iterator[Edit]:
    """Cuts each addition with the comma before it, or after it where nothing that stays precedes it."""
    stays = False
    for index, item in enumerate(held):
        if item.key not in additions:
            stays = True
        elif stays:
            yield text.index(",", held[index - 1].end), item.end, ""
        else:
            yield item.start, held[index + 1].start if index + 1 < len(held) else item.end, ""


def _apply(text: str, edits: Iterable[Edit]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, replacement in sorted(edits):
        pieces += (text[done:start], replacement)
        done = end
    return "".join((*pieces, text[done:]))
