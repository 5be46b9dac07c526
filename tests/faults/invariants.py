"""Invariants of a project's datasets, checked after every write to the table or to contents."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.faults import Call
from tests.faults.moto_storage import MotoStorage
from tests.faults.simulator import Simulator
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.line.entry import Entry, read_entry
from twofold.records import (
    Dataset,
    DatasetStatus,
    DatasetType,
    Operation,
    OperationKind,
)
from twofold.settings import SORT_KEY, TablePartition
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.stores.sealed import SEAL_BYTES
from twofold.stores.table import projects

Lines = tuple[bytes, ...]
_TABLE_WRITES = ("TransactWriteItems", "UpdateItem")


class InvariantViolation(BaseException):
    """An invariant is violated. A BaseException, not caught by the service."""


@dataclass
class InvariantChecker:
    """Checks the datasets of a project.

    observed              folder and lines of each dataset's contents at the last check
    operations            operations by id
    checks                number of checks
    skips_read_contents   do not read contents again, for tests that damage them
    revert_target         contents to which a revert may return
    """

    simulator: Simulator
    project: str
    observed: dict[DatasetType, tuple[str, Lines]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    checks: int = 0
    skips_read_contents: bool = False
    revert_target: dict[DatasetType, tuple[str, Lines]] | None = None

    @property
    def storage(self) -> MotoStorage:
        return MotoStorage(self.simulator.api.name)

    def check_after_call(self, call: Call, done: bool) -> None:
        """Hook of the fault injector. Raises InvariantViolation."""
        if not done:
            self.simulator.pass_turn()
        elif call.operation in _TABLE_WRITES or self._is_contents_call(call):
            try:
                self.check()
            except AssertionError as error:
                raise InvariantViolation(str(error)) from error

    def _is_contents_call(self, call: Call) -> bool:
        """Return whether a call concerns contents of the datasets."""
        return any(folder and folder in call.url for folder, _ in self.observed.values())

    def check(self) -> None:
        """Raises AssertionError if an entry is in both datasets or in none, or if no operation explains a change."""
        self.checks += 1
        for item in self.storage.list_items(TablePartition.OPERATIONS):
            operation = Operation.parse(item["Operation"])
            self.operations[operation.id] = operation
        datasets = {dataset.id.type: dataset for dataset in self.list_datasets()}
        current = {kind: self._read_contents(dataset) for kind, dataset in datasets.items()}
        for kind in DatasetType:
            before, after = self.observed.get(kind, ("", ())), current.get(kind, ("", ()))
            if before[0] == after[0]:
                assert kind not in current or before[1] == after[1], "Contents are immutable."
            elif kind in datasets and self.observed and current != self.revert_target:
                self._check_change(datasets[kind], current)
        _check_disjoint(current)
        self.observed = current

    def restart(self) -> None:
        """Accept the present datasets, and earlier contents as the target of a revert."""
        self.revert_target, self.observed = self.observed, {}
        self.check()

    def list_datasets(self) -> list[Dataset]:
        """Return the datasets in the project's slots."""
        items = {
            item[SORT_KEY]: item for item in self.storage.list_items(f"project#{self.project}")
        }
        project = projects._parse_project(items["project"])
        keys = [projects.build_dataset_key(dataset)[1] for dataset in project.list_datasets()]
        return [projects._parse_dataset(items[key]) for key in keys]

    def list_lines(self) -> list[bytes]:
        """Return the lines of both datasets, sorted."""
        return sorted(line for _, lines in self.observed.values() for line in lines)

    def _read_contents(self, dataset: Dataset) -> tuple[str, Lines]:
        contents = dataset.contents
        if not contents:
            return "", ()
        previous = self.observed.get(dataset.id.type)
        if self.skips_read_contents and previous and previous[0] == contents.folder:
            return previous
        manifest = self.storage.get_object(ContentsKeys(contents.folder).manifest)
        lines = tuple(manifest.split(b"\n")[:-1])
        if previous and previous[0] == contents.folder:
            return contents.folder, lines
        index = DatasetIndex.decode(self.storage.get_object(ContentsKeys(contents.folder).index))
        assert index.length.tolist() == [len(line) for line in lines]
        assert (contents.entries, contents.bytes) == (len(lines), len(manifest))
        return contents.folder, lines

    def _check_change(
        self, dataset: Dataset, current: dict[DatasetType, tuple[str, Lines]]
    ) -> None:
        """Check new contents of a dataset against the last operation."""
        operation = self.operations.get(dataset.operation or "")
        before, after = self.observed.get(dataset.id.type, ("", ()))[1], current[dataset.id.type][1]
        if operation is None:
            assert dataset.status is DatasetStatus.CREATE_COMPLETE, "A copy"
            return
        assert dataset.status is operation.kind.complete_status
        match operation.kind:
            case OperationKind.DISTRIBUTE:
                self._check_distribution(current, operation)
            case OperationKind.UPDATE:
                text = self.storage.get_object(ScratchKeys(operation.id).changes)[:-SEAL_BYTES]
                changes = {_read_source_ref(line): line for line in text.split(b"\n") if line}
                expected = [changes.pop(_read_source_ref(line), line) for line in before]
                assert list(after) == [*expected, *changes.values()]
            case OperationKind.CREATE:
                assert operation.source
                source = self.storage.get_object(operation.source.key, operation.source.bucket)
                assert list(after) == source.split(b"\n")[:-1]

    def _check_distribution(
        self, current: dict[DatasetType, tuple[str, Lines]], operation: Operation
    ) -> None:
        parameters = operation.parameters
        assert parameters
        assert not parameters.dry_run, "A dry run moves nothing."
        kept = self.observed[DatasetType.TEST][1]
        assert bool(kept) == (operation.test_before is not None)
        before = kept + self.observed[DatasetType.TRAIN][1]
        train, test = current[DatasetType.TRAIN][1], current[DatasetType.TEST][1]
        assert len(test) == (2 * len(before) + 5) // 10
        assert Counter(train) + Counter(test) == Counter(before)
        for side in (set(train), set(test)):
            assert [line for line in before if line in side] in (list(train), list(test))
        if parameters.group_by:
            groups = [
                {_find_group(line, parameters.group_by) for line in side} for side in (train, test)
            ]
            assert not set.intersection(*groups), "A group is on both sides."


def _read_source_ref(line: bytes) -> str:
    entry = read_entry(line)
    assert isinstance(entry, Entry)
    return entry.source_ref


def _find_group(line: bytes, expression: str) -> str:
    match = re.search(expression, _read_source_ref(line))
    assert match
    return match[1]


def _check_disjoint(current: dict[DatasetType, tuple[str, Lines]]) -> None:
    counts = Counter(line for _, lines in current.values() for line in lines)
    duplicates = [json.loads(line)["source-ref"] for line, count in counts.items() if count > 1]
    assert not duplicates, f"In both datasets: {duplicates}"
