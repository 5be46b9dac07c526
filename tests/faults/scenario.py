"""Scenarios: a project with datasets, actions on them, and checks after all operations have ended."""

import base64
import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from tests.faults.client_history import ClientHistory
from tests.faults.invariants import InvariantChecker
from tests.faults.simulator import MINUTE, Simulator
from tests.support.workflow_harness import make_entry_line, make_manifest
from twofold.records import DatasetStatus, DatasetType, StatusMessageCode
from twofold.settings import TablePartition
from twofold.stores.keys import ReportKeys

_Item = TypeVar("_Item")

ENTRIES = 24
SETTLE_LIMIT = 5 * MINUTE
MANIFEST = make_manifest(ENTRIES)
_DOCUMENTED = frozenset(DatasetStatus) - {
    DatasetStatus.CREATE_IN_PROGRESS,
    DatasetStatus.UPDATE_IN_PROGRESS,
}


class Action(StrEnum):
    CREATE = "create"
    DISTRIBUTE = "distribute"
    UPDATE = "update"
    DELETE = "delete"
    REVERT = "revert"
    DISTRIBUTE_GROUPS = "distribute in groups"
    DRY_RUN = "dry run"
    KEEP_TEST = "distribute and keep the test entries"


DISTRIBUTE_VARIANTS = (Action.DISTRIBUTE_GROUPS, Action.DRY_RUN, Action.KEEP_TEST)
"""Distributions that share most call sites with a plain one."""
MOVING_ACTIONS = (Action.DISTRIBUTE, Action.DISTRIBUTE_GROUPS, Action.KEEP_TEST)
GROUP_BY = "images/[0-9]*([0-9])"
"""The last digit of an image's number."""
_VARIANT_PARAMETERS: dict[Action, dict[str, Any]] = {
    Action.DISTRIBUTE_GROUPS: {"GroupBy": GROUP_BY},
    Action.DRY_RUN: {"DryRun": True},
    Action.KEEP_TEST: {"KeepTest": True},
}


def select_distinct(
    actions: Iterable[Action],
    collect: Callable[[Action], list[_Item]],
    name: Callable[[_Item], Hashable],
) -> Iterator[tuple[Action, _Item]]:
    """Yield the items of `collect` for each action; for variants only names missing from a plain distribution."""
    distribute_names: set[Hashable] = set()
    for action in actions:
        items = collect(action)
        if action is Action.DISTRIBUTE:
            distribute_names = {name(item) for item in items}
        for item in items:
            if action not in DISTRIBUTE_VARIANTS or name(item) not in distribute_names:
                yield action, item


@dataclass
class Scenario:
    """A project with a training dataset of ENTRIES entries and an empty test dataset.

    A CREATE begins without the training dataset. The datasets have been distributed before a REVERT, and also have a new entry
    before a KEEP_TEST.
    """

    simulator: Simulator
    project: str
    invariants: InvariantChecker
    client_history: ClientHistory
    arns: dict[DatasetType, str] = field(default_factory=dict)
    answers: list[dict[str, Any] | None] = field(default_factory=list)
    updates: int = 0
    replaces_entries: bool = True
    clock_skew: int = 0
    manifest: bytes = MANIFEST

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        response = self.client_history.call(operation, **members)
        self.answers.append(response)
        return response

    def call_successfully(self, operation: str, **members: Any) -> dict[str, Any]:
        response = self.simulator.call(operation, **members)
        assert response is not None
        assert "__type" not in response, response
        return response

    def perform(self, action: Action) -> dict[str, Any] | None:
        match action:
            case Action.CREATE:
                return self._create()
            case Action.DISTRIBUTE | Action.DISTRIBUTE_GROUPS | Action.DRY_RUN | Action.KEEP_TEST:
                arns = [{"Arn": self.arns[kind]} for kind in DatasetType]
                parameters = _VARIANT_PARAMETERS.get(action, {})
                return self.call("DistributeDatasetEntries", Datasets=arns, **parameters)
            case Action.UPDATE:
                changes = {"GroundTruth": base64.b64encode(self.build_changes()).decode()}
                arn = self.arns[DatasetType.TRAIN]
                return self.call("UpdateDatasetEntries", DatasetArn=arn, Changes=changes)
            case Action.REVERT:
                return self.call("RevertDatasetDistribution", ProjectArn=self.project)
            case Action.DELETE:
                return self.call("DeleteDataset", DatasetArn=self.arns[DatasetType.TRAIN])

    def build_changes(self) -> bytes:
        """Return the lines of an update: a new entry, and a replaced entry unless it may have moved to the test dataset."""
        self.updates += 1
        existing = MANIFEST.split(b"\n")[0] + b"\n" if self.replaces_entries else b""
        return make_entry_line(1000 + self.updates, "", "owl") + existing

    def _create(self) -> dict[str, Any] | None:
        with self.simulator.fault_injector.pause():
            source = self.simulator.api.upload_source(self.manifest)
        arguments = {"DatasetType": "TRAIN", "DatasetSource": source}
        response = self.call("CreateDataset", ProjectArn=self.project, **arguments)
        if response and "DatasetArn" in response:
            self.arns[DatasetType.TRAIN] = response["DatasetArn"]
        return response

    def settle(self) -> int:
        """Run Settle every minute until all operations have ended; return the number of runs."""
        self.simulator.fault_injector.choose_fault = lambda call: None
        self.simulator.choose_function_fault = lambda function: None
        began, sweeps = self.simulator.now, 0
        while (
            self.invariants.storage.list_items(TablePartition.OPERATIONS) or not self.is_settled()
        ):
            assert self.simulator.now - began < SETTLE_LIMIT + self.clock_skew, (
                "Operations did not end in time."
            )
            self.simulator.advance_clock(MINUTE)
            self.simulator.settle()
            self.simulator.scheduler.run()
            sweeps += 1
        self.check_statuses()
        return sweeps

    def is_settled(self) -> bool:
        return all(dataset.status in _DOCUMENTED for dataset in self.invariants.list_datasets())

    def check_statuses(self) -> None:
        """Check that each dataset has a message, and a code other than SUCCESS exactly for failed datasets."""
        self.invariants.check()
        for dataset in self.invariants.list_datasets():
            failed = dataset.status in (DatasetStatus.CREATE_FAILED, DatasetStatus.UPDATE_FAILED)
            assert failed == (dataset.status_message_code is not StatusMessageCode.SUCCESS)
            assert dataset.status_message

    def read_statuses(self) -> dict[DatasetType, DatasetStatus]:
        return {dataset.id.type: dataset.status for dataset in self.invariants.list_datasets()}

    def retry(self, action: Action) -> None:
        """Check that the action succeeds without faults, unless completed before."""
        with self.simulator.fault_injector.pause():
            if action is Action.CREATE and DatasetType.TRAIN in self.read_statuses():
                if self.read_statuses()[DatasetType.TRAIN] is DatasetStatus.CREATE_COMPLETE:
                    return
                self.simulator.advance_clock(MINUTE)
                (train,) = [
                    dataset
                    for dataset in self.invariants.list_datasets()
                    if dataset.id.type == "TRAIN"
                ]
                arn = f"{self.project.rpartition('/')[0]}/dataset/train/{train.id.created}"
                self.call_successfully("DeleteDataset", DatasetArn=arn)
            is_distributed = bool(self.invariants.observed[DatasetType.TEST][1])
            if action in MOVING_ACTIONS and action is not Action.KEEP_TEST and is_distributed:
                return
            if action is Action.DELETE and DatasetType.TRAIN not in self.read_statuses():
                return
        self.simulator.advance_clock(MINUTE)
        response = self.perform(action)
        assert response is not None
        assert "__type" not in response, response
        self.simulator.scheduler.run()
        self.invariants.check()
        statuses = self.read_statuses()
        if action is Action.DELETE:
            assert DatasetType.TRAIN not in statuses
        else:
            complete = (
                DatasetStatus.CREATE_COMPLETE
                if action is Action.CREATE
                else DatasetStatus.UPDATE_COMPLETE
            )
            assert statuses[DatasetType.TRAIN] is complete
        if action is Action.DRY_RUN:
            self._check_dry_run_report()

    def _check_dry_run_report(self) -> None:
        """Check the dry run in the history and in the report."""
        with self.simulator.fault_injector.pause():
            (last, *_) = self.call_successfully(
                "ListDatasetDistributions", ProjectArn=self.project
            )["Distributions"]
        assert last["DryRun"]
        (project, *_) = {dataset.id.project for dataset in self.invariants.list_datasets()}
        keys = ReportKeys(project, last["DistributionId"])
        assert json.loads(self.invariants.storage.get_object(keys.report))["dryRun"]
