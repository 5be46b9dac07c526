"""A harness for tests of workflows: it calls the functions of states in any order, with a table and a bucket in moto."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import numpy as np

from local.emulator.table_schema import TABLE_SCHEMA
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.quotas import ServiceQuotas, get_quotas
from twofold.records import (
    Dataset,
    DatasetId,
    DatasetStatus,
    DatasetType,
    Operation,
    OperationKind,
    Project,
    SourceObject,
    SplitParameters,
    StatusMessageCode,
)
from twofold.settings import QuotaProfile
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket, pin
from twofold.stores.table import Table, operations, projects
from twofold.workflow.index import index_range
from twofold.workflow.messages import (
    MOVE_TASKS,
    RANGE_TASKS,
    Assembly,
    MoveTask,
    SourceRanges,
    TransferPlan,
)
from twofold.workflow.move import transfer_shard
from twofold.workflow.plan import plan_ranges
from twofold.workflow.publish import publish
from twofold.workflow.resolve import resolve_ranges
from twofold.workflow.select import select_entries

NOW = 1_700_000_000_000
LIMITS = get_quotas(QuotaProfile.TWOFOLD)


@dataclass(frozen=True)
class WorkflowHarness:
    table: Table
    bucket: Bucket

    @classmethod
    def create(cls) -> "WorkflowHarness":
        name = f"world-{uuid4().hex}"
        boto3.client("s3").create_bucket(Bucket=name)
        boto3.client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
        return cls(Table(name), Bucket(name))

    def delete_all(self) -> None:
        self.delete_objects(*self.list_keys())
        boto3.client("s3").delete_bucket(Bucket=self.bucket.name)
        boto3.client("dynamodb").delete_table(TableName=self.table.name)

    def list_keys(self, prefix: str = "") -> list[str]:
        response = boto3.client("s3").list_objects_v2(Bucket=self.bucket.name, Prefix=prefix)
        return [entry["Key"] for entry in response.get("Contents", [])]

    def delete_objects(self, *keys: str) -> None:
        if keys:
            boto3.client("s3").delete_objects(
                Bucket=self.bucket.name, Delete={"Objects": [{"Key": key} for key in keys]}
            )

    def put_source(self, manifest: bytes) -> SourceObject:
        key = f"sources/{uuid4().hex}"
        self.bucket.put(key, manifest)
        return pin(self.bucket.name, key)

    def create_project(self) -> str:
        project = Project(name=uuid4().hex, created=NOW)
        projects.create(self.table, project)
        return project.name

    def create_empty_dataset(self, project: str, kind: DatasetType = DatasetType.TEST) -> Dataset:
        dataset = make_dataset(project, kind, DatasetStatus.CREATE_COMPLETE)
        operations.create(self.table, dataset, None)
        return dataset

    def claim_ingest(
        self,
        manifest: bytes,
        project: str | None = None,
        kind: DatasetType = DatasetType.TRAIN,
    ) -> Operation:
        dataset = make_dataset(
            project or self.create_project(), kind, DatasetStatus.CREATE_IN_PROGRESS
        )
        operation = Operation(
            id=dataset.operation or "",
            kind=OperationKind.CREATE,
            datasets=(dataset.id,),
            created=NOW,
            source=self.put_source(manifest),
        )
        operations.create(self.table, dataset, operation)
        return operation

    def index_ranges(self, operation: Operation, quotas: ServiceQuotas = LIMITS) -> SourceRanges:
        """Run Plan and Index."""
        ranges = plan_ranges(self.bucket, operation, quotas)
        for task in RANGE_TASKS.validate_json(self.bucket.get(ranges.tasks.key)):
            index_range(self.bucket, operation, task)
        return ranges

    def resolve_ranges(self, operation: Operation, quotas: ServiceQuotas = LIMITS) -> TransferPlan:
        """Run Plan, Index and Resolve."""
        ranges = self.index_ranges(operation, quotas)
        return resolve_ranges(self.bucket, operation, ranges, quotas)

    def read_move_tasks(self, plan: TransferPlan) -> tuple[MoveTask, ...]:
        return MOVE_TASKS.validate_json(self.bucket.get(plan.tasks.key))

    def read_assembly(self, plan: TransferPlan) -> Assembly:
        return Assembly.model_validate_json(sealed.get(self.bucket, plan.assembly))

    def move_shards(
        self, operation: Operation, plan: TransferPlan, shards: Iterable[MoveTask] | None = None
    ) -> None:
        """Run Move for some shards, by default for all."""
        for task in self.read_move_tasks(plan) if shards is None else shards:
            transfer_shard(self.bucket, operation, plan.source, task)

    def publish(self, operation: Operation, plan: TransferPlan) -> None:
        publish(self.table, self.bucket, operation, plan, NOW + 1)

    def ingest(
        self,
        manifest: bytes,
        project: str | None = None,
        kind: DatasetType = DatasetType.TRAIN,
    ) -> Dataset:
        """Create a dataset from a manifest."""
        operation = self.claim_ingest(manifest, project, kind)
        plan = self.resolve_ranges(operation)
        self.move_shards(operation, plan)
        self.publish(operation, plan)
        return self.find_dataset(operation.datasets[0])

    def claim_distribution(self, manifest: bytes) -> Operation:
        """Claim a training dataset with this manifest and an empty test dataset for a distribution."""
        train = self.ingest(manifest)
        test = self.create_empty_dataset(train.id.project)
        operation = make_distribution(train, test)
        assert operations.claim(self.table, operation, (train, test), NOW)
        return operation

    def select_entries(self, operation: Operation) -> TransferPlan:
        return select_entries(self.bucket, operation)

    def find_dataset(self, dataset: DatasetId) -> Dataset:
        stored = projects.find_dataset(self.table, dataset)
        assert stored is not None
        return stored

    def read_manifest(self, dataset: DatasetId) -> bytes:
        contents = self.find_dataset(dataset).contents
        return self.bucket.get(ContentsKeys(contents.folder).manifest) if contents else b""

    def read_index(self, dataset: DatasetId) -> DatasetIndex:
        contents = self.find_dataset(dataset).contents
        assert contents is not None
        return DatasetIndex.decode(self.bucket.get(ContentsKeys(contents.folder).index))

    def read_state(self, operation: Operation) -> list[Any]:
        """Return everything that a reader can see of the operation's datasets."""
        return [
            (self.find_dataset(dataset), self.read_manifest(dataset))
            for dataset in operation.datasets
        ] + [operation in operations.list_active(self.table)]


def make_dataset(project: str, kind: DatasetType, status: DatasetStatus) -> Dataset:
    return Dataset(
        id=DatasetId(project=project, type=kind, created=NOW),
        status=status,
        status_message="",
        status_message_code=StatusMessageCode.SUCCESS,
        updated=NOW,
        operation=uuid4().hex if status is DatasetStatus.CREATE_IN_PROGRESS else None,
    )


def make_distribution(train: Dataset, test: Dataset) -> Operation:
    return Operation(
        id=uuid4().hex,
        kind=OperationKind.DISTRIBUTE,
        datasets=(train.id, test.id),
        created=NOW,
        before=train.contents,
        parameters=SplitParameters(),
    )


def make_manifest(count: int, seed: int = 0) -> bytes:
    """Return lines of different lengths, each with one of three labels."""
    random = np.random.default_rng(seed)
    return b"".join(
        make_entry_line(
            number, "x" * int(random.integers(0, 120)), ("owl", "emu", "jay")[number % 3]
        )
        for number in range(count)
    )


def make_entry_line(number: int, padding: str, label: str) -> bytes:
    metadata = {
        "confidence": 1,
        "job-name": "birds",
        "class-name": label,
        "human-annotated": "yes",
        "creation-date": "2020-03-06T17:46:39",
        "type": "groundtruth/image-classification",
    }
    line = {
        "source-ref": f"s3://images/{number}{padding}.jpg",
        "bird": 1,
        "bird-metadata": metadata,
    }
    return json.dumps(line).encode() + b"\n"
