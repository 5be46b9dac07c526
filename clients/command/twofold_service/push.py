"""`twofold push`: upload a local manifest and create a dataset from it."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from twofold_command.console import decode_path, is_utf8
from twofold_command.errors import CommandError
from twofold_command.file_formats import (
    describe_folder,
    describe_packed_file,
    describe_read_error,
)
from twofold_command.progress import show_progress
from twofold_service.driver import build_manifest_source, create_dataset, upload_manifest
from twofold_service.projects import Dataset, wait_until_complete
from twofold_service.session import Service, convert_aws_errors


def push_manifest(
    service: Service,
    manifest: Path,
    project: str,
    bucket: str,
    dataset_type: str,
    *,
    folder: str,
    make_bucket: bool,
) -> Dataset:
    """Uploads the manifest, creates the project if it does not exist, and returns the completed dataset.

    The S3 key is `folder/project/<name of the file>`. A deployed stack reads manifests in its own bucket only below `sources/`,
    and with the guard `owner` only below the caller's folder in `sources/`. Raises CommandError.
    """
    if not is_utf8(manifest.name):
        raise CommandError(
            f"The file name {decode_path(manifest.name)!r} is not UTF-8, which S3 keys must be. Rename the file."
        )
    size = _get_file_size(manifest)
    key = f"{folder.strip('/')}/{project}/{manifest.name}"
    with convert_aws_errors():
        if make_bucket:
            _create_bucket(service, bucket)
        with show_progress("Uploading", size, "B") as bar:
            upload_manifest(service.s3, manifest, bucket, key, bar.advance)
        project_arn = _get_or_create_project(service, project)
        source = build_manifest_source(bucket, key)
        arn = create_dataset(service.rekognition, project_arn, dataset_type.upper(), source)
        dataset = Dataset.describe(service, dataset_type, arn)
        with show_progress("Creating the dataset", unit="tasks") as bar:
            return wait_until_complete(service, dataset, bar)


def _get_file_size(manifest: Path) -> int:
    """Returns the size in bytes. Raises CommandError for a file that cannot be read or cannot have an entry."""
    try:
        if manifest.is_dir():
            raise CommandError(f"{manifest} {describe_folder(manifest)}")
        with manifest.open("rb"):
            size = manifest.stat().st_size
    except OSError as error:
        raise CommandError(describe_read_error(manifest, error)) from error
    packed = describe_packed_file(manifest)
    if packed:
        raise CommandError(f"{manifest} {packed}")
    return size


def _create_bucket(service: Service, bucket: str) -> None:
    region = service.s3.meta.region_name
    options: dict[str, Any] = {}
    if region != "us-east-1":
        options = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        service.s3.create_bucket(Bucket=bucket, **options)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _get_or_create_project(service: Service, name: str) -> str:
    rekognition = service.rekognition
    descriptions = rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    project = descriptions[0] if descriptions else rekognition.create_project(ProjectName=name)
    arn: str = project["ProjectArn"]
    return arn
