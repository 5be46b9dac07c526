"""CreateDataset, DescribeDataset."""

from typing import Any

from twofold.api.context import RequestContext, make_operation_id, to_datetime
from twofold.api.ownership import list_source_folders
from twofold.api.requests import (
    CreateDatasetRequest,
    DatasetSource,
    DescribeDatasetRequest,
    S3Object,
)
from twofold.errors import (
    InvalidParameterException,
    InvalidS3ObjectException,
    ServiceError,
)
from twofold.records import (
    READY_STATUSES,
    Contents,
    Dataset,
    DatasetId,
    DatasetStatus,
    DatasetType,
    Operation,
    OperationKind,
    Project,
    SourceObject,
    StatusMessageCode,
)
from twofold.settings import Prefix
from twofold.stores import keys
from twofold.stores.objects import ObjectUnreachableError, pin
from twofold.stores.progress import Progress, read_progress
from twofold.stores.table import operations

Result = dict[str, Any]


def create_dataset(context: RequestContext, request: CreateDatasetRequest) -> Result:
    """Create a dataset. An empty dataset or a copy is complete at once; the ingest workflow reads a manifest."""
    project = context.get_project(request.project_arn)
    created = context.choose_timestamp(project.created)
    identity = DatasetId(
        project=project.name, type=DatasetType(request.dataset_type), created=created
    )
    response = {"DatasetArn": context.scope.format_dataset_arn(identity)}
    source = request.dataset_source
    manifest = _read_manifest_source(source) if source else None
    if manifest:
        _start_ingest(context, project, identity, manifest, dict(request.tags), response)
    else:
        contents = (
            _get_contents_to_copy(context, source.dataset_arn)
            if source and source.dataset_arn
            else None
        )
        message = "The dataset was successfully created" + (" from the dataset." if source else ".")
        dataset = _make_dataset(
            identity, DatasetStatus.CREATE_COMPLETE, message, dict(request.tags)
        )
        dataset = dataset.model_copy(update={"contents": contents})
        operations.create(context.with_idempotent_response(response), dataset, None, project)
    return response


def _read_manifest_source(source: DatasetSource) -> S3Object | None:
    """Return the source manifest, or None for a copy. Raises InvalidParameterException for any other number of sources."""
    manifest = source.ground_truth_manifest
    if (manifest is None) == (source.dataset_arn is None):
        raise InvalidParameterException(
            "DatasetSource must name either GroundTruthManifest or DatasetArn. "
            "Leave DatasetSource out to create an empty dataset."
        )
    if manifest is None:
        return None
    if not manifest.s3_object or not manifest.s3_object.bucket or not manifest.s3_object.name:
        raise InvalidParameterException("GroundTruthManifest.S3Object needs Bucket and Name.")
    return manifest.s3_object


def _start_ingest(
    context: RequestContext,
    project: Project,
    identity: DatasetId,
    manifest: S3Object,
    tags: dict[str, str],
    response: Result,
) -> None:
    """Create the dataset and the operation in a transaction and start the workflow; on failure, retract both."""
    context.require_operation_quota()
    operation = Operation(
        id=make_operation_id(),
        kind=OperationKind.CREATE,
        datasets=(identity,),
        created=identity.created,
        source=_pin_manifest(context, manifest),
    )
    message = "The dataset is being created from the manifest file."
    dataset = _make_dataset(identity, DatasetStatus.CREATE_IN_PROGRESS, message, tags)
    dataset = dataset.model_copy(update={"operation": operation.id})
    operations.create(context.with_idempotent_response(response), dataset, operation, project)
    try:
        context.start_workflow(operation)
    except ServiceError:
        operations.retract(context.with_response_removal(), operation, operation.created)
        raise


def _pin_manifest(context: RequestContext, manifest: S3Object) -> SourceObject:
    """Check the caller's access to the manifest, and pin the current version.

    In the bucket of the service, only the folder for sources is readable: all else belongs to datasets.
    """
    if manifest.bucket == context.bucket.name and not keys.is_source(manifest.name or ""):
        raise InvalidS3ObjectException(
            f"s3://{manifest.bucket}/{manifest.name} cannot be read: in this bucket, only the folder "
            f"{Prefix.SOURCES}/ holds manifests to create datasets from."
        )
    folders = list_source_folders(context)
    if folders is not None and not keys.is_source(manifest.name or "", folders):
        raise InvalidS3ObjectException(
            f"s3://{manifest.bucket}/{manifest.name} cannot be read: this deployment reads your manifests only from "
            f"{' and '.join(f's3://{manifest.bucket}/{folder}' for folder in folders)}."
        )
    try:
        return pin(manifest.bucket or "", manifest.name or "", manifest.version)
    except ObjectUnreachableError as error:
        raise InvalidS3ObjectException(
            "Unable to get object metadata from S3. Check object key, region and/or access permissions. "
            f"({error} Manifests are read from the buckets that the deployment's option source_buckets names, "
            f"and from the folder {Prefix.SOURCES}/ of its own bucket.)"
        ) from error


def _get_contents_to_copy(context: RequestContext, arn: str) -> Contents | None:
    """Return the contents of the dataset to copy. Raises InvalidParameterException if the dataset is not ready."""
    source = context.get_dataset(arn)
    if source.status not in READY_STATUSES:
        raise InvalidParameterException(
            f"The dataset {arn} cannot be copied now: its status is {source.status}."
        )
    return source.contents


def _make_dataset(
    identity: DatasetId, status: DatasetStatus, message: str, tags: dict[str, str]
) -> Dataset:
    return Dataset(
        id=identity,
        status=status,
        status_message=message,
        status_message_code=StatusMessageCode.SUCCESS,
        updated=identity.created,
        tags=tags,
    )


def describe_dataset(context: RequestContext, request: DescribeDatasetRequest) -> Result:
    """Describe a dataset; while an operation runs, with the progress."""
    dataset = context.get_dataset(request.dataset_arn)
    contents = dataset.contents
    progress = _read_progress(context, dataset)
    message = f"{dataset.status_message} {progress.message}" if progress else dataset.status_message
    return {
        "DatasetDescription": {
            "CreationTimestamp": to_datetime(dataset.id.created),
            "LastUpdatedTimestamp": to_datetime(dataset.updated),
            "Status": dataset.status.value,
            "StatusMessage": message,
            "StatusMessageCode": dataset.status_message_code.value,
            "DatasetStats": {
                "LabeledEntries": contents.labeled_entries if contents else 0,
                "TotalEntries": contents.entries if contents else 0,
                "TotalLabels": contents.total_labels if contents else 0,
                "ErrorEntries": contents.error_entries if contents else 0,
            },
            **({"Progress": _render_progress(progress)} if progress else {}),
        }
    }


def _read_progress(context: RequestContext, dataset: Dataset) -> Progress | None:
    if dataset.operation is None or not dataset.status.is_in_progress:
        return None
    return read_progress(context.bucket, dataset.operation)


def _render_progress(progress: Progress) -> Result:
    return {"Step": progress.step, "Done": progress.done, "Total": progress.total}
