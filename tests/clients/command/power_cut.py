"""A model of a disk after a power cut: names and contents that were not flushed may be lost.

Operations on names are atomic. An operation is durable after a later flush of a changed folder; the rest may be lost,
independently. The content of a file is durable as of the last flush; otherwise the file may be torn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.clients.command.interruptions import Operation

VARIANTS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """An operation on names with the numbers of the changed folders, or a flush of the file or folder `flushed`."""

    operation: Operation
    folders: frozenset[int] = frozenset()
    flushed: int | None = None


class DiskModel:
    """Names and contents. `nodes` has a number for each path; the numbers of files are the keys of `contents`."""

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
        """Applies the operation, or does nothing if a lost operation makes it impossible."""
        source, target = operation.paths[0], operation.paths[-1]
        source_exists = source in self.nodes
        folder_exists = target.parent in self.nodes
        match operation.call:
            case "mkdir" | "create" if folder_exists and not source_exists:
                self._add(source, None if operation.call == "mkdir" else b"")
            case "link" if source_exists and folder_exists:
                self.nodes[target] = self.nodes[source]
            case "rename" if source_exists and folder_exists:
                self._rename(source, target)
            case "remove" | "rmdir" if source_exists:
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
        """Writes the state as files below another root."""
        for path, node in sorted(self.nodes.items()):
            target = root / path.relative_to(self.root)
            if node in self.contents:
                target.write_bytes(self.contents[node])
            else:
                target.mkdir(exist_ok=True)


def generate_disk_states(
    root: Path, operations: list[Operation], random: Random
) -> Iterator[tuple[str, DiskModel]]:
    """Yields VARIANTS states of the disk after each number of operations. `root` has the state before the operations."""
    steps = list(_make_steps(DiskModel(root), operations))
    for done in range(len(steps) + 1):
        before = steps[:done]
        for variant in range(VARIANTS):
            share = (0.0, 1.0)[variant] if variant < 2 else random.random()
            yield (
                f"{done} of {len(steps)}, variant {variant}",
                _simulate_power_cut(root, before, share, random),
            )


def _make_steps(disk: DiskModel, operations: list[Operation]) -> Iterator[Step]:
    """Yields the steps with numbers of folders, by applying the operations to a disk that loses nothing."""
    for operation in operations:
        if operation.call == "fsync":
            yield Step(operation, flushed=disk.nodes[operation.paths[0]])
        elif operation.call != "write":
            folders = frozenset(disk.nodes.get(path.parent, -1) for path in operation.paths)
            disk.apply(operation)
            yield Step(operation, folders)


def _simulate_power_cut(root: Path, steps: list[Step], share: float, random: Random) -> DiskModel:
    """Returns the disk after the cut: keeps each volatile operation with probability `share`, and tears volatile contents."""
    disk, complete = DiskModel(root), DiskModel(root)
    numbers: dict[int, int] = {}
    flushed: dict[int, bytes] = {}
    for position, step in enumerate(steps):
        later = {after.flushed for after in steps[position:]}
        if step.flushed is not None:
            if step.operation.content is not None:
                flushed[step.flushed] = step.operation.content
            continue
        complete.apply(step.operation)
        if step.folders & later or random.random() < share:
            next_node = disk._next
            disk.apply(step.operation)
            if disk._next > next_node:
                numbers[next_node] = complete._next - 1
    for node in disk.contents:
        if node in numbers:
            disk.contents[node] = flushed.get(numbers[node], b"torn")
    return disk
