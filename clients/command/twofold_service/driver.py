"""The calls of the main job: upload a manifest, create datasets, distribute the entries, wait for the result.

The functions take plain boto3 clients and raise the exceptions of boto3. `twofold push` and `twofold distribute`, the smoke
test, `make run` and the tests share these functions.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IN_PROGRESS = "_IN_PROGRESS"
_PAUSE_GROWTH = 1.5

Description = dict[str, Any]
"""The DatasetDescription of DescribeDataset."""
OnBytes = Callable[[int], None]
"""Called with the number of bytes sent since the last call."""
OnProgress = Callable[[Description], None]


@dataclass(frozen=True, slots=True)
class Polling:
    """Pauses between calls of DescribeDataset, growing from the first to the longest, and the timeout of the wait."""

    first_pause_seconds: float = 0.05
    longest_pause_seconds: float = 2.0
    timeout_seconds: float = float("inf")


class DatasetTimeoutError(Exception):
    """A dataset was still in progress at the end of the timeout; the message names its ARN and status."""


def upload_manifest(
    s3: Any,
    manifest: Path,
    bucket: str,
    key: str,
    on_bytes: OnBytes | None = None,
    transfer_config: Any = None,
) -> None:
    """Uploads the file to `s3://bucket/key`."""
    s3.upload_file(str(manifest), bucket, key, Callback=on_bytes, Config=transfer_config)


def build_manifest_source(bucket: str, key: str) -> dict[str, Any]:
    """Returns the DatasetSource of CreateDataset for the manifest at `s3://bucket/key`."""
    return {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}


def create_dataset(
    rekognition: Any, project_arn: str, dataset_type: str, source: dict[str, Any] | None = None
) -> str:
    """Calls CreateDataset and returns the ARN. `dataset_type` is `TRAIN` or `TEST`; without a source the dataset is empty."""
    parameters = {"DatasetSource": source} if source else {}
    response = rekognition.create_dataset(
        ProjectArn=project_arn, DatasetType=dataset_type, **parameters
    )
    arn: str = response["DatasetArn"]
    return arn


def describe_dataset(rekognition: Any, arn: str) -> Description:
    description: Description = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
    return description


def start_distribution(rekognition: Any, train_arn: str, test_arn: str, **parameters: Any) -> None:
    """Calls DistributeDatasetEntries. `parameters` are members of the request, such as `TestFraction`."""
    datasets = [{"Arn": train_arn}, {"Arn": test_arn}]
    rekognition.distribute_dataset_entries(Datasets=datasets, **parameters)


def wait_for_dataset(
    rekognition: Any,
    arn: str,
    on_progress: OnProgress | None = None,
    polling: Polling | None = None,
) -> Description:
    """Polls until the operation on the dataset has ended and returns the last description, of a failed dataset too.

    `on_progress` receives every description. Raises DatasetTimeoutError.
    """
    polling = polling or Polling()
    deadline = time.monotonic() + polling.timeout_seconds
    pause = polling.first_pause_seconds
    while True:
        description = describe_dataset(rekognition, arn)
        if on_progress:
            on_progress(description)
        if not description["Status"].endswith(IN_PROGRESS):
            return description
        if time.monotonic() > deadline:
            raise DatasetTimeoutError(f"{arn} is still {description['Status']}.")
        time.sleep(pause)
        pause = min(pause * _PAUSE_GROWTH, polling.longest_pause_seconds)
