"""The states of a disk after a power cut: names and contents that were not flushed may be there or not.

Operations on names are atomic, and certain when one of their folders has been flushed afterwards; any others may be lost,
each for itself. The content of a file is certain as it was when it was last flushed; otherwise the file may be torn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.command.interruptions import Operation

VARIANTS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """An operation on names, with the numbers of the folders that it changes, or a flush of file or folder `flushed`."""

    operation: Operation
    folders: frozenset[int] = frozenset()
    flushed: int | None = None


class Disk:
    """`nodes` has the number of each path; a number is that of a folder unless it is a key of `contents`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nodes = {root: 0}
        self.contents: dict[int, bytes] = {}
        self._next = 1
        for path in sorted(root.rglob("*")):
            self._add(path, None if path.is_dir() else path.read_bytes())

    def _add(self, path: Path, content: bytes | None) -> None:
        self.nodes[path] = self._next
        if content is not None:
            self.contents[self._next] = content
        self._next += 1

    def apply(self, operation: Operation) -> None:
        """Does nothing where an operation before it has been lost, without which it is impossible."""
        source, target = operation.paths[0], operation.paths[-1]
        there = source in self.nodes
        placed = target.parent in self.nodes
        match operation.call:
            case "mkdir" | "create" if placed and not there:
                self._add(source, None if operation.call == "mkdir" else b"")
            case "link" if there and placed:
                self.nodes[target] = self.nodes[source]
            case "rename" if there and placed:
                self._rename(source, target)
            case "remove" | "rmdir" if there:
                self._remove(source)

    def _remove(self, path: Path) -> None:
        if not any(path in other.parents for other in self.nodes):
            del self.nodes[path]

    def _rename(self, source: Path, target: Path) -> None:
        moved = {path: node for path, node in self.nodes.items() if path.is_relative_to(source)}
        for path in moved:
            del self.nodes[path]
        for path, node in moved.items():
            self.nodes[target / path.relative_to(source)] = node

    def write(self, root: Path) -> None:
        """As real files below another root."""
        for path, node in sorted(self.nodes.items()):
            place = root / path.relative_to(self.root)
            if node in self.contents:
                place.write_bytes(self.contents[node])
            else:
                place.mkdir(exist_ok=True)


def states(root: Path, operations: list[Operation], random: Random) -> Iterator[tuple[str, Disk]]:
    """VARIANTS of what may be on the disk after each number of operations; `root` is as it was before them."""
    steps = list(_steps(Disk(root), operations))
    for done in range(len(steps) + 1):
        before = steps[:done]
        for variant in range(VARIANTS):
            share = (0.0, 1.0)[variant] if variant < 2 else random.random()
            yield f"{done} of {len(steps)}, variant {variant}", _after(root, before, share, random)


def _steps(disk: Disk, operations: list[Operation]) -> Iterator[Step]:
    """With a complete disk beside them, to know the folders by number."""
    for operation in operations:
        if operation.call == "fsync":
            yield Step(operation, flushed=disk.nodes[operation.paths[0]])
        elif operation.call != "write":
            folders = frozenset(disk.nodes.get(path.parent, -1) for path in operation.paths)
            disk.apply(operation)
            yield Step(operation, folders)


def _after(root: Path, steps: list[Step], share: float, random: Random) -> Disk:
    """Of operations that are not certain each stays with a chance of `share`; contents that are not certain are torn."""
    disk, complete = Disk(root), Disk(root)
    numbers: dict[int, int] = {}
    flushed: dict[int, bytes] = {}
    for place, step in enumerate(steps):
        later = {after.flushed for after in steps[place:]}
        if step.flushed is not None:
            if step.operation.content is not None:
                flushed[step.flushed] = step.operation.content
            continue
        complete.apply(step.operation)
        if step.folders & later or random.random() < share:
            had = disk._next
            disk.apply(step.operation)
            if disk._next > had:
                numbers[had] = complete._next - 1
    for node in disk.contents:
        if node in numbers:
            disk.contents[node] = flushed.get(numbers[node], b"torn")
    return disk
