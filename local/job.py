"""The main job as any program does it: plain boto3 clients, none of Twofold's code."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from local.clients import create_client

BUCKET = "manifests"
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.2
PART_BYTES = 32 << 20
SIDE_BY_SIDE = 2
_CONFIG = Config(
    read_timeout=300,
    retries={"mode": "standard"},
    request_checksum_calculation="when_required",
    s3={"payload_signing_enabled": False},
)
"""Patient, and nothing is summed up on the way to a server in this process."""

_MODELS = Path(__file__).parents[1] / "clients" / "aws-models"
"""What AWS_DATA_PATH would name: with it, a client sees how far an operation is."""

_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_.\-]+")

Moved = Callable[[int], None]
Told = Callable[[dict[str, Any]], None]


class JobError(Exception):
    """The job cannot be done; the message is for the person who ran it."""


class ServiceError(JobError):
    """The manifest is not to blame."""


@dataclass(frozen=True, slots=True)
class Created:
    """The datasets' ARNs, and DescribeDataset's answer for the training dataset."""

    train: str
    test: str
    described: dict[str, Any]


class Job:
    """One manifest's way through the API. Methods raise JobError for what the user must know, and what boto3
    raises."""

    def __init__(self, endpoint: str, manifest: Path) -> None:
        self.manifest = manifest
        self.project = _NOT_IN_A_NAME.sub("-", manifest.stem)[:255] or "manifest"
        self.key = f"{self.project}.manifest"
        self.rekognition = create_client("rekognition", endpoint, config=_CONFIG, models=_MODELS)
        self.s3 = create_client("s3", endpoint, config=_CONFIG)

    def upload(self, moved: Moved) -> None:
        """`moved` is told how many bytes have gone since it was last told."""
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.upload_file(
            str(self.manifest),
            BUCKET,
            self.key,
            Callback=moved,
            Config=TransferConfig(max_concurrency=SIDE_BY_SIDE, multipart_chunksize=PART_BYTES),
        )

    def create(self, told: Told) -> Created:
        """The project and both datasets; returns when the training dataset is complete."""
        project = self.rekognition.create_project(ProjectName=self.project)["ProjectArn"]
        s3_object = {"Bucket": BUCKET, "Name": self.key}
        train = self.rekognition.create_dataset(
            ProjectArn=project,
            DatasetType="TRAIN",
            DatasetSource={"GroundTruthManifest": {"S3Object": s3_object}},
        )["DatasetArn"]
        test = self.rekognition.create_dataset(ProjectArn=project, DatasetType="TEST")
        described = self._settled(train, told)
        if described["Status"] != "CREATE_COMPLETE":
            self._refused("cannot become a dataset", described)
        return Created(train, test["DatasetArn"], described)

    def distribute(self, created: Created, told: Told) -> None:
        """Returns when both datasets have what is theirs."""
        pair = [{"Arn": created.train}, {"Arn": created.test}]
        self.rekognition.distribute_dataset_entries(Datasets=pair)
        for arn in (created.train, created.test):
            described = self._settled(arn, told)
            if described["Status"] != "UPDATE_COMPLETE":
                self._refused("cannot be distributed", described)

    def _settled(self, arn: str, told: Told) -> dict[str, Any]:
        pause = FIRST_PAUSE_SECONDS
        while True:
            answer = self.rekognition.describe_dataset(DatasetArn=arn)
            described: dict[str, Any] = answer["DatasetDescription"]
            told(described)
            if not described["Status"].endswith("_IN_PROGRESS"):
                return described
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def _refused(self, what: str, described: dict[str, Any]) -> NoReturn:
        message = f"{self.manifest} {what} ({described['Status']}): {described['StatusMessage']}"
        if described["StatusMessageCode"] == "CLIENT_ERROR":
            raise JobError(f"{message}\nCorrect the manifest and run again.")
        raise ServiceError(message)
