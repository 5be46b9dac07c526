"""What the table of a project looks like after each write, in the words of the specification.

It reads the items by the names that docs and table have, with no code of the service.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.faults.memory import Item, Memory
from tests.faults.scene import Scene

_NONE = "none"
_WRITES = ("TransactWriteItems", "UpdateItem")


@dataclass
class TableTrace:
    """`tables` has each table that differs from the one before."""

    memory: Memory
    project: str
    tables: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """From now on, after each write of the scene's service."""
        trace = cls(scene.witness.memory, scene.witness.project)
        trace.observe()
        scene.theatre.outside.sent = trace._look
        return trace

    def _look(self, operation: str) -> None:
        if operation in _WRITES:
            self.observe()

    def observe(self) -> None:
        table = _table(self.memory, self.project)
        if not self.tables or self.tables[-1] != table:
            self.tables.append(table)

    def spelled(self) -> str:
        return f"<<{', '.join(self.tables)}>>"


def _table(memory: Memory, project: str) -> str:
    items = {item["sk"]: item for item in memory.items(f"project#{project}")}
    created = items["project"]
    datasets = [item for sk, item in items.items() if sk.startswith("dataset#")]
    active = [json.loads(item["Operation"]) for item in memory.items("operations")]
    done = [json.loads(item["Distribution"]) for item in memory.items(f"distributions#{project}")]
    undone = {
        item["sk"].rpartition("#")[2]
        for item in memory.items(f"distributions#{project}")
        if "Reverted" in item
    }
    moved = [one for one in done if one["After"]]
    slots = {
        kind: f"{kind.lower()}-{created[kind.title()]}" if kind.title() in created else _NONE
        for kind in ("TRAIN", "TEST")
    }
    return _record(
        slot=_record(**{kind: _text(name) for kind, name in slots.items()}),
        datasets=_function({_name(one["Id"]): _dataset(one) for one in datasets}),
        active=_function({one["Id"]: _operation(one) for one in active}),
        noted=_set(_contents(item["sk"]) for item in memory.items("released")),
        past=_function({one["Operation"]: _distribution(one, undone) for one in moved}),
    )


def _dataset(item: Item) -> str:
    return _record(
        type=_text(item["Id"]["Type"]),
        status=_text(item["Status"]),
        contents=_text(_contents(item.get("Contents", {}).get("Folder", ""))),
        operation=_text(item.get("Operation", _NONE)),
    )


def _operation(operation: Mapping[str, Any]) -> str:
    return _record(
        kind=_text(operation["Kind"]),
        datasets=_set(map(_name, operation["Datasets"])),
        before=_text(_contents(operation.get("Before", {}).get("Folder", ""))),
    )


def _distribution(done: Mapping[str, Any], undone: set[str]) -> str:
    before = (_contents(done["Before"]["Folder"]), _NONE)
    after = [_contents(one["Folder"]) for one in done["After"]]
    names = map(_name, done["Datasets"])
    sides = {
        name: _record(before=_text(old), after=_text(new))
        for name, old, new in zip(names, before, after, strict=True)
    }
    reverted = "TRUE" if done["Operation"] in undone else "FALSE"
    return _record(reverted=reverted, sides=_function(sides))


def _name(dataset: Mapping[str, Any]) -> str:
    return f"{dataset['Type'].lower()}-{dataset['Created']}"


def _contents(folder: str) -> str:
    """The operation that wrote them, and the dataset that it wrote them for."""
    if not folder:
        return _NONE
    *_, dataset, operation = folder.split("/")
    return f"{operation}:{dataset}"


def _text(value: str) -> str:
    return json.dumps(str(value))


def _set(names: Iterable[str]) -> str:
    return f"{{{', '.join(_text(name) for name in sorted(names))}}}"


def _record(**members: str) -> str:
    return f"[{', '.join(f'{name} |-> {value}' for name, value in members.items())}]"


def _function(values: Mapping[str, str]) -> str:
    """TLC's spelling; the function of nothing is the empty sequence."""
    pairs = " @@ ".join(f"{_text(name)} :> {value}" for name, value in sorted(values.items()))
    return f"({pairs})" if pairs else "<<>>"
