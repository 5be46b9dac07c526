"""CreateDataset, DescribeDataset."""

from typing import Any

from twofold.api.contract import (
    CreateDatasetRequest,
    DatasetSource,
    DescribeDatasetRequest,
    S3Object,
)
from twofold.api.ownership import source_folders
from twofold.api.service import Service, moment, new_operation_id
from twofold.errors import (
    InvalidParameterException,
    InvalidS3ObjectException,
    ServiceError,
)
from twofold.records import (
    SETTLED,
    Contents,
    Dataset,
    DatasetId,
    DatasetType,
    Operation,
    OperationKind,
    Project,
    Source,
    Status,
    StatusCode,
)
from twofold.settings import Prefix
from twofold.stores import keys
from twofold.stores.objects import ObjectUnreachableError, pin
from twofold.stores.progress import Progress, progress
from twofold.stores.table import operations

Result = dict[str, Any]


def create_dataset(service: Service, request: CreateDatasetRequest) -> Result:
    """Empty or a copy: complete at once. From a manifest: claimed here, filled by the ingest workflow."""
    project = service.project(request.project_arn)
    created = service.moment_from(project.created)
    identity = DatasetId(
        project=project.name, type=DatasetType(request.dataset_type), created=created
    )
    answer = {"DatasetArn": service.scope.dataset_arn(identity)}
    source = request.dataset_source
    manifest = _manifest(source) if source else None
    if manifest:
        _ingest(service, project, identity, manifest, dict(request.tags), answer)
    else:
        copied = _copied(service, source.dataset_arn) if source and source.dataset_arn else None
        message = "The dataset was successfully created" + (" from the dataset." if source else ".")
        dataset = _dataset(identity, Status.CREATE_COMPLETE, message, dict(request.tags))
        dataset = dataset.model_copy(update={"contents": copied})
        operations.create(service.answering(answer), dataset, None, project)
    return answer


def _manifest(source: DatasetSource) -> S3Object | None:
    """Raises InvalidParameterException unless the source names one thing."""
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


def _ingest(
    service: Service,
    project: Project,
    identity: DatasetId,
    manifest: S3Object,
    tags: dict[str, str],
    answer: Result,
) -> None:
    service.require_free_operation()
    operation = Operation(
        id=new_operation_id(),
        kind=OperationKind.CREATE,
        datasets=(identity,),
        created=identity.created,
        source=_pinned(service, manifest),
    )
    message = "The dataset is being created from the manifest file."
    dataset = _dataset(identity, Status.CREATE_IN_PROGRESS, message, tags)
    dataset = dataset.model_copy(update={"operation": operation.id})
    operations.create(service.answering(answer), dataset, operation, project)
    try:
        service.start(operation)
    except ServiceError:
        operations.retract(service.taking_back(), operation, operation.created)
        raise


def _pinned(service: Service, manifest: S3Object) -> Source:
    """In the service's own bucket only what users put there is a source: the rest is for the operations on datasets."""
    if manifest.bucket == service.bucket.name and not keys.is_source(manifest.name or ""):
        raise InvalidS3ObjectException(
            f"s3://{manifest.bucket}/{manifest.name} cannot be read: of this bucket, only the folder "
            f"{Prefix.SOURCES}/ holds manifests to create datasets from."
        )
    folders = source_folders(service)
    if folders is not None and not keys.is_source(manifest.name or "", folders):
        raise InvalidS3ObjectException(
            f"s3://{manifest.bucket}/{manifest.name} cannot be read: this deployment reads your manifests from "
            f"{' and '.join(f's3://{manifest.bucket}/{folder}' for folder in folders)} alone."
        )
    try:
        return pin(manifest.bucket or "", manifest.name or "", manifest.version)
    except ObjectUnreachableError as error:
        raise InvalidS3ObjectException(
            "Unable to get object metadata from S3. Check object key, region and/or access permissions. "
            f"({error} Manifests are read from the buckets that the deployment's option source_buckets names, "
            f"and from the folder {Prefix.SOURCES}/ of its own bucket.)"
        ) from error


def _copied(service: Service, arn: str) -> Contents | None:
    source = service.dataset(arn)
    if source.status not in SETTLED:
        raise InvalidParameterException(
            f"The dataset {arn} cannot be copied now: its status is {source.status}."
        )
    return source.contents


def _dataset(identity: DatasetId, status: Status, message: str, tags: dict[str, str]) -> Dataset:
    return Dataset(
        id=identity,
        status=status,
        status_message=message,
        status_message_code=StatusCode.SUCCESS,
        updated=identity.created,
        tags=tags,
    )


def describe_dataset(service: Service, request: DescribeDatasetRequest) -> Result:
    dataset = service.dataset(request.dataset_arn)
    contents = dataset.contents
    found = _progress(service, dataset)
    message = f"{dataset.status_message} {found.message}" if found else dataset.status_message
    return {
        "DatasetDescription": {
            "CreationTimestamp": moment(dataset.id.created),
            "LastUpdatedTimestamp": moment(dataset.updated),
            "Status": dataset.status.value,
            "StatusMessage": message,
            "StatusMessageCode": dataset.status_message_code.value,
            "DatasetStats": {
                "LabeledEntries": contents.labeled_entries if contents else 0,
                "TotalEntries": contents.entries if contents else 0,
                "TotalLabels": contents.total_labels if contents else 0,
                "ErrorEntries": contents.error_entries if contents else 0,
            },
            **({"Progress": _counts(found)} if found else {}),
        }
    }


def _progress(service: Service, dataset: Dataset) -> Progress | None:
    if dataset.operation is None or not dataset.status.in_progress:
        return None
    return progress(service.bucket, dataset.operation)


def _counts(found: Progress) -> Result:
    return {"Step": found.step, "Done": found.done, "Total": found.total}
