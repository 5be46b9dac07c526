"""`twofold push`: a local manifest becomes a dataset."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from twofold_command.errors import CommandError
from twofold_command.output import is_text, name_of
from twofold_command.progress import progress
from twofold_service.projects import Dataset, settled
from twofold_service.session import Service, explained


def push(
    service: Service,
    manifest: Path,
    project: str,
    bucket: str,
    kind: str,
    *,
    folder: str,
    make_bucket: bool,
) -> Dataset:
    """Uploads the manifest, makes the project unless it is there, and the dataset.

    The object is `s3://bucket/folder/project/<name of the file>`. Of its own bucket a deployed stack reads the folder `sources`
    alone, and behind the guard `owner` a folder of the caller in it.
    Returns when it is complete; raises CommandError.
    """
    if not is_text(manifest.name):
        raise CommandError(
            f"The name of the file {name_of(manifest.name)!r} is not UTF-8, as keys of S3 are. Rename it."
        )
    size = _size(manifest)
    key = f"{folder.strip('/')}/{project}/{manifest.name}"
    with explained():
        if make_bucket:
            _make(service, bucket)
        with progress("Uploading", size, "B") as step:
            service.s3.upload_file(str(manifest), bucket, key, Callback=step.advance)
        arn = _project_arn(service, project)
        answer = service.rekognition.create_dataset(
            ProjectArn=arn,
            DatasetType=kind.upper(),
            DatasetSource={"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}},
        )
        dataset = Dataset.of(service, kind, answer["DatasetArn"])
        with progress("Creating the dataset", unit="pieces") as step:
            return settled(service, dataset, step)


def _size(manifest: Path) -> int:
    try:
        with manifest.open("rb"):
            return manifest.stat().st_size
    except OSError as error:
        raise CommandError(f"{manifest} cannot be read: {error.strerror}.") from error


def _make(service: Service, bucket: str) -> None:
    region = service.s3.meta.region_name
    place: dict[str, Any] = {}
    if region != "us-east-1":
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        service.s3.create_bucket(Bucket=bucket, **place)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _project_arn(service: Service, name: str) -> str:
    rekognition = service.rekognition
    found = rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    described = found[0] if found else rekognition.create_project(ProjectName=name)
    arn: str = described["ProjectArn"]
    return arn
