"""Numbered snapshots of the table, written by the service's own code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.faults.moto_storage import MotoStorage, Snapshot
from twofold.stores.table import Table

Result = TypeVar("Result")


@dataclass
class TableStates:
    """Results are cached by table number: the service's code depends on the table only."""

    storage: MotoStorage
    _snapshots: list[Snapshot] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _results: dict[tuple[int, str], tuple[int, bool]] = field(default_factory=dict)
    _answers: dict[tuple[int, str], Any] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        return Table(self.storage.name)

    def save(self) -> int:
        """Save the present table and return the number. Equal tables have the same number."""
        items = sorted(self.storage.list_all_items(), key=lambda item: (item["pk"], item["sk"]))
        number = self._numbers.setdefault(repr(items), len(self._snapshots))
        if number == len(self._snapshots):
            self._snapshots.append(self.storage.take_snapshot())
        return number

    def apply(self, number: int, name: str, act: Callable[[Table], bool]) -> tuple[int, bool]:
        """Run an action on a saved table; return the number of the new table and the action's result."""
        if (number, name) not in self._results:
            self.storage.restore(self._snapshots[number])
            succeeded = act(self.table)
            self._results[number, name] = (self.save(), succeeded)
        return self._results[number, name]

    def query(self, number: int, query: Callable[[Table], Result]) -> Result:
        """Return the result of a query on a saved table. Queries are cached by name."""
        key = (number, query.__qualname__)
        if key not in self._answers:
            self.storage.restore(self._snapshots[number])
            self._answers[key] = query(self.table)
        result: Result = self._answers[key]
        return result
