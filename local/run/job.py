"""The main job of `make run`, with boto3 clients: upload a manifest, create the datasets, distribute the entries."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from local.emulator.clients import create_client
from twofold_service import driver
from twofold_service.driver import Description, OnBytes, OnProgress, Polling

BUCKET = "manifests"
PART_BYTES = 32 << 20
MAX_CONCURRENCY = 2

_POLLING = Polling(longest_pause_seconds=0.2)
_TRANSFER = TransferConfig(max_concurrency=MAX_CONCURRENCY, multipart_chunksize=PART_BYTES)
_CONFIG = Config(
    read_timeout=300,
    retries={"mode": "standard"},
    request_checksum_calculation="when_required",
    s3={"payload_signing_enabled": False},
)
"""Long timeouts, and no checksums: the server is in this process."""

_MODELS = Path(__file__).parents[2] / "clients" / "aws-models"
"""The service model with Twofold's extension, whose descriptions of datasets have `Progress`."""

_INVALID_CHARACTERS = re.compile(r"[^a-zA-Z0-9_.\-]+")


class RunError(Exception):
    """The run failed; the message is for the user."""


class ServiceError(RunError):
    """The run failed, and the manifest is not the cause."""


@dataclass(frozen=True, slots=True)
class CreatedDatasets:
    """The ARNs of both datasets."""

    train: str
    test: str


class MainJob:
    """The calls for one manifest. Methods raise RunError with messages for the user, and boto3's exceptions."""

    def __init__(self, endpoint: str, manifest: Path) -> None:
        self.manifest = manifest
        self.project = _INVALID_CHARACTERS.sub("-", manifest.stem)[:255] or "manifest"
        self.key = f"{self.project}.manifest"
        self.rekognition = create_client("rekognition", endpoint, config=_CONFIG, models=_MODELS)
        self.s3 = create_client("s3", endpoint, config=_CONFIG)

    def upload(self, on_bytes: OnBytes) -> None:
        """Upload the manifest. `on_bytes` receives the number of bytes sent since the last call."""
        self.s3.create_bucket(Bucket=BUCKET)
        driver.upload_manifest(self.s3, self.manifest, BUCKET, self.key, on_bytes, _TRANSFER)

    def create_datasets(self, on_progress: OnProgress) -> CreatedDatasets:
        """Create the project and both datasets. Return when the training dataset is complete."""
        project_arn = self.rekognition.create_project(ProjectName=self.project)["ProjectArn"]
        source = driver.build_manifest_source(BUCKET, self.key)
        train = driver.create_dataset(self.rekognition, project_arn, "TRAIN", source)
        test = driver.create_dataset(self.rekognition, project_arn, "TEST")
        description = self._wait(train, on_progress)
        if description["Status"] != "CREATE_COMPLETE":
            self._raise_failure("cannot become a dataset", description)
        return CreatedDatasets(train, test)

    def distribute(self, datasets: CreatedDatasets, on_progress: OnProgress) -> None:
        """Distribute the entries. Return when both datasets are complete."""
        driver.start_distribution(self.rekognition, datasets.train, datasets.test)
        for arn in (datasets.train, datasets.test):
            description = self._wait(arn, on_progress)
            if description["Status"] != "UPDATE_COMPLETE":
                self._raise_failure("cannot be distributed", description)

    def _wait(self, arn: str, on_progress: OnProgress) -> Description:
        return driver.wait_for_dataset(self.rekognition, arn, on_progress, _POLLING)

    def _raise_failure(self, problem: str, description: dict[str, Any]) -> NoReturn:
        status, reason = description["Status"], description["StatusMessage"]
        message = f"{self.manifest} {problem} ({status}): {reason}"
        if description["StatusMessageCode"] == "CLIENT_ERROR":
            raise RunError(f"{message}\nCorrect the manifest and run again.")
        raise ServiceError(message)
