"""A reader who looks at both datasets of a project after every write, and knows what may have changed."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.memory import Memory
from tests.faults.outside import Call
from tests.faults.theatre import Theatre
from twofold.manifest.index import Index
from twofold.manifest.lines import Entry, read_entry
from twofold.records import Dataset, DatasetType, Operation, OperationKind, SplitParameters, Status
from twofold.settings import SORT_KEY
from twofold.stores import keys
from twofold.stores.keys import ContentsKeys
from twofold.stores.sealed import SEAL_BYTES
from twofold.stores.table import operations, projects

Lines = tuple[bytes, ...]
_TABLE_WRITES = ("TransactWriteItems", "UpdateItem")


class Violated(BaseException):
    """A promise is broken; the service itself has no chance to catch it."""


@dataclass
class Witness:
    """`seen`: of each dataset the folder of its contents and its lines. `looks` counts the times it looked. `trusting`: it does
    not read again what it has seen, where a test damages that."""

    theatre: Theatre
    project: str
    seen: dict[DatasetType, tuple[str, Lines]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    looks: int = 0
    trusting: bool = False
    undone: dict[DatasetType, tuple[str, Lines]] | None = None

    @property
    def memory(self) -> Memory:
        return Memory(self.theatre.api.name)

    def passing(self, call: Call, done: bool) -> None:
        if not done:
            self.theatre.passing()
        elif call.operation in _TABLE_WRITES or self._touches(call):
            try:
                self.look()
            except AssertionError as broken:
                raise Violated(str(broken)) from broken

    def _touches(self, call: Call) -> bool:
        """Reading counts too: it costs little where nothing has changed."""
        return any(folder and folder in call.url for folder, _ in self.seen.values())

    def look(self) -> None:
        """Raises AssertionError if an entry is in both or in neither dataset, or was changed by nobody."""
        self.looks += 1
        for item in self.memory.items(operations.ACTIVE):
            operation = Operation.of(item["Operation"])
            self.operations[operation.id] = operation
        now = {dataset.id.type: dataset for dataset in self.datasets()}
        found = {kind: self._contents(dataset) for kind, dataset in now.items()}
        for kind in DatasetType:
            before, after = self.seen.get(kind, ("", ())), found.get(kind, ("", ()))
            if before[0] == after[0]:
                assert kind not in found or before[1] == after[1], "Contents are immutable."
            elif kind in now and self.seen and found != self.undone:
                self._require_legal(now[kind], found)
        _require_apart(found)
        self.seen = found

    def begin_again(self) -> None:
        """With the datasets as they are; what they were until now is what a distribution can be undone to."""
        self.undone, self.seen = self.seen, {}
        self.look()

    def datasets(self) -> list[Dataset]:
        """Those in the project's slots."""
        items = {item[SORT_KEY]: item for item in self.memory.items(f"project#{self.project}")}
        project = projects._project(items["project"])
        keys = [projects.dataset_key(dataset)[1] for dataset in project.datasets()]
        return [projects._dataset(items[key]) for key in keys]

    def lines(self) -> list[bytes]:
        """Of both datasets, sorted."""
        return sorted(line for _, lines in self.seen.values() for line in lines)

    def _contents(self, dataset: Dataset) -> tuple[str, Lines]:
        contents = dataset.contents
        if not contents:
            return "", ()
        known = self.seen.get(dataset.id.type)
        if self.trusting and known and known[0] == contents.folder:
            return known
        manifest = self.memory.object(ContentsKeys(contents.folder).manifest)
        lines = tuple(manifest.split(b"\n")[:-1])
        if known and known[0] == contents.folder:
            return contents.folder, lines
        index = Index.decode(self.memory.object(ContentsKeys(contents.folder).index))
        assert index.length.tolist() == [len(line) for line in lines]
        assert (contents.entries, contents.bytes) == (len(lines), len(manifest))
        return contents.folder, lines

    def _require_legal(self, dataset: Dataset, found: dict[DatasetType, tuple[str, Lines]]) -> None:
        """The contents are new: it is this operation that may have given them, and what it may have given."""
        operation = self.operations.get(dataset.operation or "")
        before, after = self.seen.get(dataset.id.type, ("", ()))[1], found[dataset.id.type][1]
        if operation is None:
            assert dataset.status is Status.CREATE_COMPLETE, "A copy"
            return
        assert dataset.status is operation.kind.complete
        match operation.kind:
            case OperationKind.DISTRIBUTE:
                self._require_distributed(found, operation.parameters)
            case OperationKind.UPDATE:
                text = self.memory.object(keys.changes(operation.id))[:-SEAL_BYTES]
                changes = {_ref(line): line for line in text.split(b"\n") if line}
                expected = [changes.pop(_ref(line), line) for line in before]
                assert list(after) == [*expected, *changes.values()]
            case OperationKind.CREATE:
                assert operation.source
                source = self.memory.object(operation.source.key, operation.source.bucket)
                assert list(after) == source.split(b"\n")[:-1]

    def _require_distributed(
        self, found: dict[DatasetType, tuple[str, Lines]], asked: SplitParameters | None
    ) -> None:
        assert asked
        assert not asked.dry_run, "A dry run moves nothing."
        before = self.seen[DatasetType.TRAIN][1]
        train, test = found[DatasetType.TRAIN][1], found[DatasetType.TEST][1]
        assert not self.seen[DatasetType.TEST][1]
        assert len(test) == (2 * len(before) + 5) // 10
        assert Counter(train) + Counter(test) == Counter(before)
        for side in (set(train), set(test)):
            assert [line for line in before if line in side] in (list(train), list(test))
        if asked.group_by:
            groups = [{_group(line, asked.group_by) for line in side} for side in (train, test)]
            assert not set.intersection(*groups), "A group is on both sides."


def _ref(line: bytes) -> str:
    entry = read_entry(line)
    assert isinstance(entry, Entry)
    return entry.source_ref


def _group(line: bytes, expression: str) -> str:
    found = re.search(expression, _ref(line))
    assert found
    return found[1]


def _require_apart(found: dict[DatasetType, tuple[str, Lines]]) -> None:
    counted = Counter(line for _, lines in found.values() for line in lines)
    doubled = [json.loads(line)["source-ref"] for line, count in counted.items() if count > 1]
    assert not doubled, f"In both datasets: {doubled}"
