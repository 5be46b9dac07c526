"""One project, one operation or several at once, and what must hold when everything has come to rest."""

import base64
import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import pytest
from moto import mock_aws

from tests.faults.memory import Memory, Saved
from tests.faults.recorded import Recorded
from tests.faults.theatre import MINUTE, Theatre, theatre
from tests.faults.witness import Witness
from tests.handlers.conftest import CACHED
from tests.small import shrink
from tests.workflow.world import any_manifest, entry_line
from twofold.records import DatasetType, Status, StatusCode
from twofold.stores.keys import ReportKeys
from twofold.stores.table import Table, operations, secrets

_Found = TypeVar("_Found")

ENTRIES = 24
SETTLED_WITHIN = 5 * MINUTE
MANIFEST = any_manifest(ENTRIES)
_DOCUMENTED = frozenset(Status) - {Status.CREATE_IN_PROGRESS, Status.UPDATE_IN_PROGRESS}


class Job(StrEnum):
    CREATE = "create"
    DISTRIBUTE = "distribute"
    UPDATE = "update"
    DELETE = "delete"
    REVERT = "revert"
    GROUPED = "distribute in groups"
    DRY_RUN = "dry run"


VARIANTS = (Job.GROUPED, Job.DRY_RUN)
"""Distributions that for the most part go the way of any other."""
MOVING = (Job.DISTRIBUTE, Job.GROUPED)
GROUP_BY = "images/[0-9]*([0-9])"
"""The last digit of an image's number."""
_ASKED: dict[Job, dict[str, Any]] = {
    Job.GROUPED: {"GroupBy": GROUP_BY},
    Job.DRY_RUN: {"DryRun": True},
}


def own_of(
    jobs: Iterable[Job], found: Callable[[Job], list[_Found]], name: Callable[[_Found], Hashable]
) -> Iterator[tuple[Job, _Found]]:
    """What was found of each job; of the variants only what a plain distribution has not, by its name."""
    known: set[Hashable] = set()
    for job in jobs:
        ones = found(job)
        if job is Job.DISTRIBUTE:
            known = {name(one) for one in ones}
        yield from ((job, one) for one in ones if job not in VARIANTS or name(one) not in known)


@dataclass
class Scene:
    """A training dataset of ENTRIES entries (but before a CREATE) and an empty test dataset (but before a REVERT)."""

    theatre: Theatre
    project: str
    witness: Witness
    recorded: Recorded
    arns: dict[DatasetType, str] = field(default_factory=dict)
    answers: list[dict[str, Any] | None] = field(default_factory=list)
    updates: int = 0
    replaces: bool = True
    skewed: int = 0
    manifest: bytes = MANIFEST

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        answer = self.recorded.call(operation, **members)
        self.answers.append(answer)
        return answer

    def done(self, operation: str, **members: Any) -> dict[str, Any]:
        answer = self.theatre.call(operation, **members)
        assert answer is not None
        assert "__type" not in answer, answer
        return answer

    def do(self, job: Job) -> dict[str, Any] | None:
        match job:
            case Job.CREATE:
                return self._create()
            case Job.DISTRIBUTE | Job.GROUPED | Job.DRY_RUN:
                arns = [{"Arn": self.arns[kind]} for kind in DatasetType]
                asked = _ASKED.get(job, {})
                return self.call("DistributeDatasetEntries", Datasets=arns, **asked)
            case Job.UPDATE:
                changes = {"GroundTruth": base64.b64encode(self.changes()).decode()}
                arn = self.arns[DatasetType.TRAIN]
                return self.call("UpdateDatasetEntries", DatasetArn=arn, Changes=changes)
            case Job.REVERT:
                return self.call("RevertDatasetDistribution", ProjectArn=self.project)
            case Job.DELETE:
                return self.call("DeleteDataset", DatasetArn=self.arns[DatasetType.TRAIN])

    def changes(self) -> bytes:
        """An entry that is new, and one that is there, unless it may be in the other dataset by then."""
        self.updates += 1
        known = MANIFEST.split(b"\n")[0] + b"\n" if self.replaces else b""
        return entry_line(1000 + self.updates, "", "owl") + known

    def _create(self) -> dict[str, Any] | None:
        with self.theatre.outside.looking():
            source = self.theatre.api.source(self.manifest)
        arguments = {"DatasetType": "TRAIN", "DatasetSource": source}
        answer = self.call("CreateDataset", ProjectArn=self.project, **arguments)
        if answer and "DatasetArn" in answer:
            self.arns[DatasetType.TRAIN] = answer["DatasetArn"]
        return answer

    def rest(self) -> int:
        """A sweep a minute until nothing is under way; how many it took."""
        self.theatre.outside.plan = lambda call: None
        self.theatre.mishap = lambda function: None
        began, sweeps = self.theatre.now, 0
        while self.witness.memory.items(operations.ACTIVE) or not self.settled():
            assert self.theatre.now - began < SETTLED_WITHIN + self.skewed, "It hangs."
            self.theatre.tick(MINUTE)
            self.theatre.settle()
            self.theatre.company.play()
            sweeps += 1
        self.require_documented()
        return sweeps

    def settled(self) -> bool:
        return all(dataset.status in _DOCUMENTED for dataset in self.witness.datasets())

    def require_documented(self) -> None:
        """A failure has a reason; nothing but a failure has a code other than SUCCESS."""
        self.witness.look()
        for dataset in self.witness.datasets():
            failed = dataset.status in (Status.CREATE_FAILED, Status.UPDATE_FAILED)
            assert failed == (dataset.status_message_code is not StatusCode.SUCCESS)
            assert dataset.status_message

    def statuses(self) -> dict[DatasetType, Status]:
        return {dataset.id.type: dataset.status for dataset in self.witness.datasets()}

    def again(self, job: Job) -> None:
        """A second attempt, with nothing in its way, does what the first was to do."""
        with self.theatre.outside.looking():
            if job is Job.CREATE and DatasetType.TRAIN in self.statuses():
                if self.statuses()[DatasetType.TRAIN] is Status.CREATE_COMPLETE:
                    return
                self.theatre.tick(MINUTE)
                (train,) = [one for one in self.witness.datasets() if one.id.type == "TRAIN"]
                arn = f"{self.project.rpartition('/')[0]}/dataset/train/{train.id.created}"
                self.done("DeleteDataset", DatasetArn=arn)
            if job in MOVING and self.witness.seen[DatasetType.TEST][1]:
                return
            if job is Job.DELETE and DatasetType.TRAIN not in self.statuses():
                return
        self.theatre.tick(MINUTE)
        answer = self.do(job)
        assert answer is not None
        assert "__type" not in answer, answer
        self.theatre.company.play()
        self.witness.look()
        statuses = self.statuses()
        if job is Job.DELETE:
            assert DatasetType.TRAIN not in statuses
        else:
            complete = Status.CREATE_COMPLETE if job is Job.CREATE else Status.UPDATE_COMPLETE
            assert statuses[DatasetType.TRAIN] is complete
        if job is Job.DRY_RUN:
            self._require_told()

    def _require_told(self) -> None:
        """The history has the dry run, and its report says that it was one."""
        with self.theatre.outside.looking():
            (last, *_) = self.done("ListDatasetDistributions", ProjectArn=self.project)[
                "Distributions"
            ]
        assert last["DryRun"]
        (project, *_) = {dataset.id.project for dataset in self.witness.datasets()}
        place = ReportKeys(project, last["DistributionId"])
        assert json.loads(self.witness.memory.object(place.report))["dryRun"]


@dataclass(frozen=True)
class Stage:
    """`source` is a dataset to copy from, so that each scene begins with one call."""

    theatre: Theatre
    source: str
    saved: Saved

    @contextmanager
    def scene(self, job: Job, seed: int = 0) -> Iterator[Scene]:
        theatre = self.theatre
        theatre.reset(seed)
        Memory(theatre.api.name).restore(self.saved)
        with theatre.outside.looking():
            found = self._scene(job)
            found.witness.look()
            if job is Job.REVERT:
                found.do(Job.DISTRIBUTE)
                theatre.company.play()
                found.witness.begin_again()
        theatre.outside.calls.clear()
        usual = theatre.outside.passing
        theatre.outside.passing = found.witness.passing
        try:
            yield found
        finally:
            theatre.outside.passing = usual

    def _scene(self, job: Job) -> Scene:
        theatre = self.theatre
        name = f"p{theatre.now}"
        answer = theatre.call("CreateProject", ProjectName=name)
        assert answer
        recorded = Recorded(theatre, name, MANIFEST.decode().splitlines())
        found = Scene(theatre, answer["ProjectArn"], Witness(theatre, name), recorded)
        copy = {"DatasetSource": {"DatasetArn": self.source}}
        for kind, given in ((DatasetType.TRAIN, copy), (DatasetType.TEST, {})):
            if job is not Job.CREATE or kind is DatasetType.TEST:
                arguments = {"ProjectArn": found.project, "DatasetType": kind.value, **given}
                arn = found.arns[kind] = found.done("CreateDataset", **arguments)["DatasetArn"]
                recorded.begin(kind, arn, filled=bool(given))
        return found


@contextmanager
def stage() -> Iterator[Stage]:
    """The service with small sizes in moto of its own; the running stack's data, in the same memory, is left alone."""
    mock = mock_aws()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        mock.start(reset=False)
        shrink(patch)
        with theatre() as found:
            source = given_source(found, "sources", MANIFEST)
            # A process makes or reads the key once; schedules have the same calls whichever of them lists first.
            secrets.pagination_key(Table(found.api.name))
            yield Stage(found, source, Memory(found.api.name).save())
        mock.stop(remove_data=False)
    for cache in CACHED:
        cache.cache_clear()


def given_source(theatre: Theatre, name: str, manifest: bytes) -> str:
    """The ARN of a dataset of the manifest in a project of that name."""
    answer = theatre.call("CreateProject", ProjectName=name)
    assert answer
    arguments = {"DatasetType": "TRAIN", "DatasetSource": theatre.api.source(manifest)}
    created = theatre.call("CreateDataset", ProjectArn=answer["ProjectArn"], **arguments)
    assert created
    theatre.company.play()
    return str(created["DatasetArn"])
