"""A table and a bucket behind the workflow's own functions, called in whatever order a state machine might."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import numpy as np

from local.schema import TABLE_SCHEMA
from twofold.manifest.index import Index
from twofold.quotas import Limits, limits
from twofold.records import (
    Dataset,
    DatasetId,
    DatasetType,
    Operation,
    OperationKind,
    Project,
    Source,
    SplitParameters,
    Status,
    StatusCode,
)
from twofold.settings import Quotas
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket, pin
from twofold.stores.table import Table, operations, projects
from twofold.workflow import ingest
from twofold.workflow.move import move
from twofold.workflow.orders import RANGE_LIST, SHARD_LIST, Assembly, Carve, Ranges, ShardOrder
from twofold.workflow.publish import publish
from twofold.workflow.select import select

NOW = 1_700_000_000_000
LIMITS = limits(Quotas.TWOFOLD)


@dataclass(frozen=True)
class World:
    table: Table
    bucket: Bucket

    @classmethod
    def begin(cls) -> "World":
        name = f"world-{uuid4().hex}"
        boto3.client("s3").create_bucket(Bucket=name)
        boto3.client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
        return cls(Table(name), Bucket(name))

    def end(self) -> None:
        self.delete(*self.keys())
        boto3.client("s3").delete_bucket(Bucket=self.bucket.name)
        boto3.client("dynamodb").delete_table(TableName=self.table.name)

    def keys(self, prefix: str = "") -> list[str]:
        answer = boto3.client("s3").list_objects_v2(Bucket=self.bucket.name, Prefix=prefix)
        return [found["Key"] for found in answer.get("Contents", [])]

    def delete(self, *keys: str) -> None:
        if keys:
            boto3.client("s3").delete_objects(
                Bucket=self.bucket.name, Delete={"Objects": [{"Key": key} for key in keys]}
            )

    def source(self, manifest: bytes) -> Source:
        key = f"sources/{uuid4().hex}"
        self.bucket.put(key, manifest)
        return pin(self.bucket.name, key)

    def project(self) -> str:
        project = Project(name=uuid4().hex, created=NOW)
        projects.create(self.table, project)
        return project.name

    def empty(self, project: str, kind: DatasetType = DatasetType.TEST) -> Dataset:
        dataset = any_dataset(project, kind, Status.CREATE_COMPLETE)
        operations.create(self.table, dataset, None)
        return dataset

    def begin_ingest(self, manifest: bytes, project: str | None = None) -> Operation:
        dataset = any_dataset(
            project or self.project(), DatasetType.TRAIN, Status.CREATE_IN_PROGRESS
        )
        operation = Operation(
            id=dataset.operation or "",
            kind=OperationKind.CREATE,
            datasets=(dataset.id,),
            created=NOW,
            source=self.source(manifest),
        )
        operations.create(self.table, dataset, operation)
        return operation

    def index(self, operation: Operation, bounds: Limits = LIMITS) -> Ranges:
        """Plan and Index."""
        found = ingest.plan(self.bucket, operation, bounds)
        for order in RANGE_LIST.validate_json(self.bucket.get(found.shards.key)):
            ingest.index(self.bucket, operation, order)
        return found

    def resolve(self, operation: Operation, bounds: Limits = LIMITS) -> Carve:
        """Plan, Index and Resolve."""
        found = self.index(operation, bounds)
        return ingest.resolve_pieces(self.bucket, operation, found, bounds)

    def shards(self, carve: Carve) -> tuple[ShardOrder, ...]:
        return SHARD_LIST.validate_json(self.bucket.get(carve.shards.key))

    def assembly(self, carve: Carve) -> Assembly:
        return Assembly.model_validate_json(sealed.get(self.bucket, carve.assembly))

    def move(
        self, operation: Operation, carve: Carve, shards: Iterable[ShardOrder] | None = None
    ) -> None:
        for shard in self.shards(carve) if shards is None else shards:
            move(self.bucket, operation, carve.source, shard)

    def publish(self, operation: Operation, carve: Carve) -> None:
        publish(self.table, self.bucket, operation, carve, NOW + 1)

    def ingested(self, manifest: bytes, project: str | None = None) -> Dataset:
        """A training dataset with this manifest's contents."""
        operation = self.begin_ingest(manifest, project)
        carve = self.resolve(operation)
        self.move(operation, carve)
        self.publish(operation, carve)
        return self.dataset(operation.datasets[0])

    def begin_distribution(self, manifest: bytes) -> Operation:
        """Claims a training dataset with this manifest and an empty test dataset."""
        train = self.ingested(manifest)
        test = self.empty(train.id.project)
        operation = any_distribution(train, test)
        assert operations.claim(self.table, operation, (train, test), NOW)
        return operation

    def select(self, operation: Operation) -> Carve:
        return select(self.bucket, operation)

    def dataset(self, dataset: DatasetId) -> Dataset:
        found = projects.find_dataset(self.table, dataset)
        assert found is not None
        return found

    def manifest(self, dataset: DatasetId) -> bytes:
        contents = self.dataset(dataset).contents
        return self.bucket.get(ContentsKeys(contents.folder).manifest) if contents else b""

    def index_of(self, dataset: DatasetId) -> Index:
        contents = self.dataset(dataset).contents
        assert contents is not None
        return Index.decode(self.bucket.get(ContentsKeys(contents.folder).index))

    def state(self, operation: Operation) -> list[Any]:
        """All that a reader can see of the operation's datasets."""
        return [
            (self.dataset(dataset), self.manifest(dataset)) for dataset in operation.datasets
        ] + [operation in operations.active(self.table)]


def any_dataset(project: str, kind: DatasetType, status: Status) -> Dataset:
    return Dataset(
        id=DatasetId(project=project, type=kind, created=NOW),
        status=status,
        status_message="",
        status_message_code=StatusCode.SUCCESS,
        updated=NOW,
        operation=uuid4().hex if status is Status.CREATE_IN_PROGRESS else None,
    )


def any_distribution(train: Dataset, test: Dataset) -> Operation:
    return Operation(
        id=uuid4().hex,
        kind=OperationKind.DISTRIBUTE,
        datasets=(train.id, test.id),
        created=NOW,
        before=train.contents,
        parameters=SplitParameters(),
    )


def any_manifest(count: int, seed: int = 0) -> bytes:
    """Lines of different lengths with one of three labels each."""
    random = np.random.default_rng(seed)
    return b"".join(
        entry_line(number, "x" * int(random.integers(0, 120)), ("owl", "emu", "jay")[number % 3])
        for number in range(count)
    )


def entry_line(number: int, padding: str, label: str) -> bytes:
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
