"""Record the table of a project after each write, in the notation of the specification.

Reads the items by the attribute names in the docs, without code of the service.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.faults.moto_storage import Item, MotoStorage
from tests.faults.scenario import Scenario

_NONE = "none"
_WRITES = ("TransactWriteItems", "UpdateItem")


@dataclass
class TableTrace:
    """`tables` has the table after each write that changed the table."""

    memory: MotoStorage
    project: str
    tables: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, scenario: Scenario) -> Self:
        """Start to record after each write of the scenario's service."""
        trace = cls(scenario.invariants.storage, scenario.invariants.project)
        trace.observe()
        scenario.simulator.fault_injector.on_sent = trace._observe_write
        return trace

    def _observe_write(self, operation: str) -> None:
        if operation in _WRITES:
            self.observe()

    def observe(self) -> None:
        table = _format_table(self.memory, self.project)
        if not self.tables or self.tables[-1] != table:
            self.tables.append(table)

    def format_tables(self) -> str:
        return f"<<{', '.join(self.tables)}>>"


def _format_table(memory: MotoStorage, project: str) -> str:
    items = {item["sk"]: item for item in memory.list_items(f"project#{project}")}
    created = items["project"]
    datasets = [item for sk, item in items.items() if sk.startswith("dataset#")]
    active = [json.loads(item["Operation"]) for item in memory.list_items("operations")]
    done = [
        json.loads(item["Distribution"]) for item in memory.list_items(f"distributions#{project}")
    ]
    undone = {
        item["sk"].rpartition("#")[2]
        for item in memory.list_items(f"distributions#{project}")
        if "Reverted" in item
    }
    moved = [distribution for distribution in done if distribution["After"]]
    slots = {
        kind: f"{kind.lower()}-{created[kind.title()]}" if kind.title() in created else _NONE
        for kind in ("TRAIN", "TEST")
    }
    return _format_record(
        slot=_format_record(**{kind: _format_text(name) for kind, name in slots.items()}),
        datasets=_format_function(
            {_get_name(item["Id"]): _format_dataset(item) for item in datasets}
        ),
        active=_format_function({item["Id"]: _format_operation(item) for item in active}),
        noted=_format_set(_format_contents(item["sk"]) for item in memory.list_items("released")),
        past=_format_function(
            {item["Operation"]: _format_distribution(item, undone) for item in moved}
        ),
    )


def _format_dataset(item: Item) -> str:
    return _format_record(
        type=_format_text(item["Id"]["Type"]),
        status=_format_text(item["Status"]),
        contents=_format_text(_format_contents(item.get("Contents", {}).get("Folder", ""))),
        operation=_format_text(item.get("Operation", _NONE)),
    )


def _format_operation(operation: Mapping[str, Any]) -> str:
    return _format_record(
        kind=_format_text(operation["Kind"]),
        datasets=_format_set(map(_get_name, operation["Datasets"])),
        before=_format_text(_format_contents(operation.get("Before", {}).get("Folder", ""))),
        kept=_format_text(_format_contents(operation.get("TestBefore", {}).get("Folder", ""))),
    )


def _format_distribution(done: Mapping[str, Any], undone: set[str]) -> str:
    before = [
        _format_contents(done.get(name, {}).get("Folder", "")) for name in ("Before", "TestBefore")
    ]
    after = [_format_contents(contents["Folder"]) for contents in done["After"]]
    names = map(_get_name, done["Datasets"])
    sides = {
        name: _format_record(before=_format_text(old), after=_format_text(new))
        for name, old, new in zip(names, before, after, strict=True)
    }
    reverted = "TRUE" if done["Operation"] in undone else "FALSE"
    return _format_record(reverted=reverted, sides=_format_function(sides))


def _get_name(dataset: Mapping[str, Any]) -> str:
    return f"{dataset['Type'].lower()}-{dataset['Created']}"


def _format_contents(folder: str) -> str:
    """Return the operation that wrote the contents, and the dataset."""
    if not folder:
        return _NONE
    *_, dataset, operation = folder.split("/")
    return f"{operation}:{dataset}"


def _format_text(value: str) -> str:
    return json.dumps(str(value))


def _format_set(names: Iterable[str]) -> str:
    return f"{{{', '.join(_format_text(name) for name in sorted(names))}}}"


def _format_record(**members: str) -> str:
    return f"[{', '.join(f'{name} |-> {value}' for name, value in members.items())}]"


def _format_function(values: Mapping[str, str]) -> str:
    """Spell a function as TLC does; the empty function is the empty sequence."""
    pairs = " @@ ".join(
        f"{_format_text(name)} :> {value}" for name, value in sorted(values.items())
    )
    return f"({pairs})" if pairs else "<<>>"
