"""Damaged objects: every object read by an operation, damaged immediately before the read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.faults.faults import Call
from tests.faults.moto_storage import MotoStorage
from tests.faults.scenario import MANIFEST, Action, Scenario, select_distinct
from tests.faults.simulated_service import SimulatedService, create_source_dataset
from twofold.records import DatasetStatus, DatasetType, StatusMessageCode
from twofold.stores.keys import ContentsKeys

READS = ("GetObject", "HeadObject")


class Damage(StrEnum):
    CUT = "second half removed"
    SHORT = "last byte removed"
    FIRST = "a bit of the first byte flipped"
    MIDDLE = "a bit in the middle flipped"
    LAST = "a bit of the last byte flipped"
    SWAPPED = "replaced by the object of another operation"
    EMPTY = "empty"
    GONE = "deleted"
    FEWER = "last item of a list removed"
    TWICE = "first item of a list repeated"


_OF_LISTS = (Damage.FEWER, Damage.TWICE)
_OF_SIZE = (Damage.CUT, Damage.SHORT, Damage.EMPTY, Damage.GONE)


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """The first read of an object by a process. `call.resource` is the key without ids and numbers."""

    action: Action
    call: Call

    @property
    def object(self) -> tuple[str, str]:
        return self.call.process, self.call.resource

    @property
    def name(self) -> str:
        return f"{self.action}: {self.call.process} reads {self.call.resource}"

    @property
    def is_scratch(self) -> bool:
        """Return whether a retry writes a new object. Damage to contents is permanent."""
        return self.call.resource.startswith("scratch/")


def get_key(call: Call) -> str:
    return call.url.split("?")[0].split("/", 3)[-1]


def get_bucket(call: Call) -> str:
    return call.url.split("//")[1].split(".")[0]


def list_object_reads(service: SimulatedService, action: Action) -> Iterator[ObjectRead]:
    """Yield the objects read without damage, once per process."""
    known_reads: set[tuple[str, str]] = set()
    with service.start_scenario(action) as scenario:
        scenario.perform(action)
        scenario.simulator.scheduler.run()
        calls = list(scenario.simulator.fault_injector.calls)
    for call in calls:
        if call.operation in READS and (call.process, call.resource) not in known_reads:
            known_reads.add((call.process, call.resource))
            yield ObjectRead(action, call)


def _flip_bit(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def _change_list(data: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    return json.dumps(change(json.loads(data))).encode()


_CHANGES: dict[Damage, Callable[[bytes], bytes]] = {
    Damage.CUT: lambda data: data[: len(data) // 2],
    Damage.SHORT: lambda data: data[:-1],
    Damage.FIRST: lambda data: _flip_bit(data, 0),
    Damage.MIDDLE: lambda data: _flip_bit(data, len(data) // 2),
    Damage.LAST: lambda data: _flip_bit(data, len(data) - 1),
    Damage.EMPTY: lambda data: b"",
    Damage.FEWER: lambda data: _change_list(data, lambda items: items[:-1]),
    Damage.TWICE: lambda data: _change_list(data, lambda items: [*items[:1], *items]),
}


def apply_damage(data: bytes, damage: Damage, sibling: bytes) -> bytes:
    return sibling if damage is Damage.SWAPPED else _CHANGES[damage](data)


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a run. `applied`: the object existed and was damaged. `before`: the lines of both datasets before the run."""

    applied: bool
    before: list[bytes]
    scenario: Scenario
    objects: dict[str, bytes]


@contextmanager
def run_with_damage(
    service: SimulatedService, object_read: ObjectRead, damage: Damage, sibling: bytes
) -> Iterator[Result]:
    """Run an action and damage an object immediately before the first read."""
    with service.start_scenario(object_read.action) as scenario:
        before, applied = scenario.invariants.list_lines(), [False]
        default_hook = scenario.simulator.fault_injector.on_call

        def damage_read(call: Call, done: bool) -> None:
            is_target = (call.process, call.resource) == object_read.object
            if is_target and not done and not applied[0] and call.operation in READS:
                scenario.invariants.skips_read_contents = True
                applied[0] = _damage_object(
                    MotoStorage(get_bucket(call)), get_key(call), damage, sibling
                )
            default_hook(call, done)

        scenario.simulator.fault_injector.on_call = damage_read
        scenario.perform(object_read.action)
        scenario.simulator.scheduler.run()
        scenario.simulator.fault_injector.on_call = default_hook
        scenario.settle()
        yield Result(applied[0], before, scenario, read_contents(scenario))


def _damage_object(storage: MotoStorage, key: str, damage: Damage, sibling: bytes) -> bool:
    if not storage.has_object(key):
        return False
    if damage is Damage.GONE:
        storage.remove_object(key)
    else:
        storage.overwrite_object(key, apply_damage(storage.get_object(key), damage, sibling))
    return True


def read_contents(scenario: Scenario) -> dict[str, bytes]:
    """Return the existing manifests and indexes of the datasets."""
    storage, objects = scenario.invariants.storage, {}
    for dataset in scenario.invariants.list_datasets():
        if dataset.contents:
            keys = ContentsKeys(dataset.contents.folder)
            for name, key in (("manifest", keys.manifest), ("index", keys.index)):
                if storage.has_object(key):
                    objects[f"{dataset.id.type} {name}"] = storage.get_object(key)
    return objects


def collect_siblings(
    service: SimulatedService, manifest: bytes
) -> dict[tuple[Action, str, str], bytes]:
    """Return the objects read by runs on another dataset, by action, process and resource."""
    arn = create_source_dataset(service.simulator, "others", manifest)
    other_service = SimulatedService(
        service.simulator, arn, MotoStorage(service.simulator.api.name).take_snapshot()
    )
    siblings: dict[tuple[Action, str, str], bytes] = {}
    for action in Action:
        with other_service.start_scenario(action) as scenario:
            scenario.manifest = manifest
            default_hook = scenario.simulator.fault_injector.on_call

            def keep_object(
                call: Call, done: bool, action: Action = action, default_hook: Any = default_hook
            ) -> None:
                storage = MotoStorage(get_bucket(call))
                if call.operation in READS and not done and storage.has_object(get_key(call)):
                    siblings.setdefault(
                        (action, call.process, call.resource), storage.get_object(get_key(call))
                    )
                default_hook(call, done)

            scenario.simulator.fault_injector.on_call = keep_object
            scenario.perform(action)
            scenario.simulator.scheduler.run()
            scenario.simulator.fault_injector.on_call = default_hook
    return siblings


# Other images, with lines of the same lengths.
SIBLING_MANIFEST = MANIFEST.replace(b"s3://images/", b"s3://imagos/")
ACTIONS = (
    Action.CREATE,
    Action.DISTRIBUTE,
    Action.UPDATE,
    Action.DISTRIBUTE_GROUPS,
    Action.KEEP_TEST,
)


class CleanRuns:
    """Objects of runs without damage, for comparison."""

    def __init__(self, service: SimulatedService) -> None:
        self.siblings = collect_siblings(service, SIBLING_MANIFEST)
        bucket = service.simulator.api.name
        reads = select_distinct(
            ACTIONS,
            lambda action: list(list_object_reads(service, action)),
            lambda object_read: object_read.object,
        )
        self.object_reads = [
            object_read for _, object_read in reads if get_bucket(object_read.call) == bucket
        ]
        self.contents: dict[Action, dict[str, bytes]] = {}
        for action in ACTIONS:
            with service.start_scenario(action) as scenario:
                scenario.perform(action)
                scenario.simulator.scheduler.run()
                self.contents[action] = read_contents(scenario)

    def list_damages(self) -> list[tuple[ObjectRead, Damage]]:
        """Return every applicable damage of every object. A HEAD request can detect a changed size only."""
        return [
            (object_read, damage)
            for object_read in self.object_reads
            for damage in Damage
            if _is_applicable(object_read, damage)
        ]


def _is_applicable(object_read: ObjectRead, damage: Damage) -> bool:
    if damage in _OF_LISTS:
        return object_read.call.process == "execution"
    return object_read.call.operation == "GetObject" or damage in _OF_SIZE


def find_violation(
    service: SimulatedService, clean_runs: CleanRuns, object_read: ObjectRead, damage: Damage
) -> str:
    """Run with the damage; return a violation, or an empty string. Raises AssertionError if a retry fails."""
    sibling = clean_runs.siblings.get(
        (object_read.action, object_read.call.process, object_read.call.resource), b""
    )
    with run_with_damage(service, object_read, damage, sibling) as result:
        assert result.applied or object_read.call.operation == "HeadObject"
        violation = _describe_violation(result, clean_runs.contents[object_read.action])
        if object_read.is_scratch and not violation:
            result.scenario.retry(object_read.action)
    return f"{object_read.name}: {violation}" if violation else ""


def _describe_violation(result: Result, expected: dict[str, bytes]) -> str:
    (train,) = (
        dataset
        for dataset in result.scenario.invariants.list_datasets()
        if dataset.id.type is DatasetType.TRAIN
    )
    if train.status not in (DatasetStatus.CREATE_FAILED, DatasetStatus.UPDATE_FAILED):
        return "" if result.objects == expected else "not detected"
    if result.scenario.invariants.list_lines() != result.before:
        return "contents changed"
    if (
        train.status_message_code is not StatusMessageCode.SERVICE_ERROR
        or "(" not in train.status_message
    ):
        return f"no reason in {train.status_message}"
    return ""
