"""Objects that are not as they were written: every kind that a run reads, damaged as it is about to be read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.faults.memory import Memory
from tests.faults.outside import Call
from tests.faults.scene import MANIFEST, Job, Scene, Stage, given_source, own_of
from twofold.records import DatasetType, Status, StatusCode
from twofold.stores.keys import ContentsKeys

READS = ("GetObject", "HeadObject")


class Damage(StrEnum):
    CUT = "cut in the middle"
    SHORT = "without its last byte"
    FIRST = "a bit of the first byte flipped"
    MIDDLE = "a bit in the middle flipped"
    LAST = "a bit of the last byte flipped"
    SWAPPED = "another operation's of the same kind and size"
    EMPTY = "empty"
    GONE = "deleted"
    FEWER = "a list without its last item"
    TWICE = "a list that has its first item twice"


_OF_LISTS = (Damage.FEWER, Damage.TWICE)
_OF_SIZE = (Damage.CUT, Damage.SHORT, Damage.EMPTY, Damage.GONE)


@dataclass(frozen=True, slots=True)
class Kind:
    """Of an object that a run reads: by whom first, and how its key is spelt without what differs from run to run."""

    job: Job
    call: Call

    @property
    def object(self) -> tuple[str, str]:
        return self.call.actor, self.call.what

    @property
    def name(self) -> str:
        return f"{self.job}: {self.call.actor} reads {self.call.what}"

    @property
    def passing(self) -> bool:
        """Whether another attempt writes one of its own; damage to contents stays."""
        return self.call.what.startswith("scratch/")


def key_of(call: Call) -> str:
    return call.url.split("?")[0].split("/", 3)[-1]


def bucket_of(call: Call) -> str:
    return call.url.split("//")[1].split(".")[0]


def kinds(stage: Stage, job: Job) -> Iterator[Kind]:
    """Every object that a clean run reads, once for each of its readers."""
    seen: set[tuple[str, str]] = set()
    with stage.scene(job) as scene:
        scene.do(job)
        scene.theatre.company.play()
        calls = list(scene.theatre.outside.calls)
    for call in calls:
        if call.operation in READS and (call.actor, call.what) not in seen:
            seen.add((call.actor, call.what))
            yield Kind(job, call)


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def _listed(data: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    return json.dumps(change(json.loads(data))).encode()


_CHANGES: dict[Damage, Callable[[bytes], bytes]] = {
    Damage.CUT: lambda data: data[: len(data) // 2],
    Damage.SHORT: lambda data: data[:-1],
    Damage.FIRST: lambda data: _flipped(data, 0),
    Damage.MIDDLE: lambda data: _flipped(data, len(data) // 2),
    Damage.LAST: lambda data: _flipped(data, len(data) - 1),
    Damage.EMPTY: lambda data: b"",
    Damage.FEWER: lambda data: _listed(data, lambda items: items[:-1]),
    Damage.TWICE: lambda data: _listed(data, lambda items: [*items[:1], *items]),
}


def damaged(data: bytes, damage: Damage, sibling: bytes) -> bytes:
    return sibling if damage is Damage.SWAPPED else _CHANGES[damage](data)


@dataclass(frozen=True, slots=True)
class Result:
    """`hit`: whether there was such an object to damage. `before` is what the datasets held."""

    hit: bool
    before: list[bytes]
    scene: Scene
    objects: dict[str, bytes]


@contextmanager
def strike(stage: Stage, kind: Kind, damage: Damage, sibling: bytes) -> Iterator[Result]:
    """A run in which the object is damaged at the moment it is first read."""
    with stage.scene(kind.job) as scene:
        before, hit = scene.witness.lines(), [False]
        watched = scene.theatre.outside.passing

        def passing(call: Call, done: bool) -> None:
            mine = (call.actor, call.what) == kind.object
            if mine and not done and not hit[0] and call.operation in READS:
                scene.witness.trusting = True
                hit[0] = _hit(Memory(bucket_of(call)), key_of(call), damage, sibling)
            watched(call, done)

        scene.theatre.outside.passing = passing
        scene.do(kind.job)
        scene.theatre.company.play()
        scene.theatre.outside.passing = watched
        scene.rest()
        yield Result(hit[0], before, scene, held(scene))


def _hit(memory: Memory, key: str, damage: Damage, sibling: bytes) -> bool:
    if not memory.has(key):
        return False
    if damage is Damage.GONE:
        memory.remove(key)
    else:
        memory.write(key, damaged(memory.object(key), damage, sibling))
    return True


def held(scene: Scene) -> dict[str, bytes]:
    """The manifests and indexes that the datasets point to, where they are there."""
    memory, found = scene.witness.memory, {}
    for dataset in scene.witness.datasets():
        if dataset.contents:
            place = ContentsKeys(dataset.contents.folder)
            for name, key in (("manifest", place.manifest), ("index", place.index)):
                if memory.has(key):
                    found[f"{dataset.id.type} {name}"] = memory.object(key)
    return found


def siblings(stage: Stage, manifest: bytes) -> dict[tuple[Job, str, str], bytes]:
    """Of every kind of object the one that a run over another dataset reads."""
    arn = given_source(stage.theatre, "others", manifest)
    others = Stage(stage.theatre, arn, Memory(stage.theatre.api.name).save())
    found: dict[tuple[Job, str, str], bytes] = {}
    for job in Job:
        with others.scene(job) as scene:
            scene.manifest = manifest
            watched = scene.theatre.outside.passing

            def passing(call: Call, done: bool, job: Job = job, watched: Any = watched) -> None:
                memory = Memory(bucket_of(call))
                if call.operation in READS and not done and memory.has(key_of(call)):
                    found.setdefault((job, call.actor, call.what), memory.object(key_of(call)))
                watched(call, done)

            scene.theatre.outside.passing = passing
            scene.do(job)
            scene.theatre.company.play()
            scene.theatre.outside.passing = watched
    return found


# As many bytes, line by line, of other images.
OTHERS = MANIFEST.replace(b"s3://images/", b"s3://imagos/")
JOBS = (Job.CREATE, Job.DISTRIBUTE, Job.UPDATE, Job.GROUPED)


class Harmless:
    """What a run makes without damage."""

    def __init__(self, stage: Stage) -> None:
        self.siblings = siblings(stage, OTHERS)
        own = stage.theatre.api.name
        found = own_of(JOBS, lambda job: list(kinds(stage, job)), lambda kind: kind.object)
        self.kinds = [kind for _, kind in found if bucket_of(kind.call) == own]
        self.made: dict[Job, dict[str, bytes]] = {}
        for job in JOBS:
            with stage.scene(job) as scene:
                scene.do(job)
                scene.theatre.company.play()
                self.made[job] = held(scene)

    def blows(self) -> list[tuple[Kind, Damage]]:
        """Every damage to every kind of object. What is only asked for its size is noticed by its size."""
        return [(kind, damage) for kind in self.kinds for damage in Damage if _fits(kind, damage)]


def _fits(kind: Kind, damage: Damage) -> bool:
    if damage in _OF_LISTS:
        return kind.call.actor == "execution"
    return kind.call.operation == "GetObject" or damage in _OF_SIZE


def complaint(stage: Stage, harmless: Harmless, kind: Kind, damage: Damage) -> str:
    """What is wrong with how it ended, if anything is; raises AssertionError if a second attempt fails."""
    sibling = harmless.siblings.get((kind.job, kind.call.actor, kind.call.what), b"")
    with strike(stage, kind, damage, sibling) as result:
        assert result.hit or kind.call.operation == "HeadObject"
        wrong = _wrong(result, harmless.made[kind.job])
        if kind.passing and not wrong:
            result.scene.again(kind.job)
    return f"{kind.name}: {wrong}" if wrong else ""


def _wrong(result: Result, made: dict[str, bytes]) -> str:
    (train,) = (one for one in result.scene.witness.datasets() if one.id.type is DatasetType.TRAIN)
    if train.status not in (Status.CREATE_FAILED, Status.UPDATE_FAILED):
        return "" if result.objects == made else "not noticed"
    if result.scene.witness.lines() != result.before:
        return "contents changed"
    if train.status_message_code is not StatusCode.SERVICE_ERROR or "(" not in train.status_message:
        return f"no reason but {train.status_message}"
    return ""
