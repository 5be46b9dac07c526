"""Tables as the service's own code has left them, each with a number, so that a state can name one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.faults.memory import Memory, Saved
from twofold.stores.table import Table

Said = TypeVar("Said")


@dataclass
class Tables:
    memory: Memory
    _saved: list[Saved] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _done: dict[tuple[int, str], tuple[int, bool]] = field(default_factory=dict)
    _said: dict[tuple[int, str], Any] = field(default_factory=dict)

    @property
    def now(self) -> Table:
        return Table(self.memory.name)

    def keep(self) -> int:
        """Saves the table as it is; equal ones have one number."""
        items = sorted(self.memory.every_item(), key=lambda item: (item["pk"], item["sk"]))
        number = self._numbers.setdefault(repr(items), len(self._saved))
        if number == len(self._saved):
            self._saved.append(self.memory.save())
        return number

    def do(self, number: int, name: str, act: Callable[[Table], bool]) -> tuple[int, bool]:
        """Runs the service's code on a saved table, once: it knows nothing else of the state."""
        if (number, name) not in self._done:
            self.memory.restore(self._saved[number])
            done = act(self.now)
            self._done[number, name] = (self.keep(), done)
        return self._done[number, name]

    def ask(self, number: int, question: Callable[[Table], Said]) -> Said:
        """What the service's code says of a saved table, asked once. A question goes by its name."""
        asked = (number, question.__qualname__)
        if asked not in self._said:
            self.memory.restore(self._saved[number])
            self._said[asked] = question(self.now)
        said: Said = self._said[asked]
        return said
