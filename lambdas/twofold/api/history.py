"""RevertDatasetDistribution, ListDatasetDistributions: the history of a project's distributions."""

from typing import Any

from twofold.api.context import RequestContext, to_datetime
from twofold.api.requests import (
    ListDatasetDistributionsRequest,
    RevertDatasetDistributionRequest,
)
from twofold.errors import InvalidParameterException, ResourceNotReadyException
from twofold.records import READY_STATUSES, Contents, DatasetId, DatasetStatus, Distribution
from twofold.stores.folders import presign_url
from twofold.stores.keys import ContentsKeys, ReportKeys
from twofold.stores.table import history, projects, retired
from twofold.stores.table.history import HistoryEntry
from twofold.stores.table.retired import Retirement

Result = dict[str, Any]

LINK_SECONDS = 900
"""Lifetime of the presigned URLs of reports."""


def revert_dataset_distribution(
    context: RequestContext, request: RevertDatasetDistributionRequest
) -> Result:
    """Restore both datasets' contents from before the last distribution, in a single transaction.

    A repeated revert succeeds without a change.
    """
    project = context.get_project(request.project_arn)
    last = history.find_last_distribution(context.table, project)
    if last is None:
        raise InvalidParameterException(
            f"The project {request.project_arn} has no distribution to revert."
        )
    if last.reverted is not None:
        return context.respond_unchanged({})
    distribution = last.distribution
    for dataset, after in zip(distribution.datasets, distribution.after, strict=True):
        _require_unchanged(context, dataset, after)
    retirements = _require_retained(context, distribution)
    now = context.choose_timestamp(distribution.ended + 1)
    if not history.revert(
        context.with_idempotent_response({}), distribution, retirements, context.caller, now
    ):
        raise ResourceNotReadyException(
            f"Another call has just changed the datasets of {request.project_arn}."
        )
    return {}


def _require_unchanged(context: RequestContext, identity: DatasetId, distributed: Contents) -> None:
    """Raise InvalidParameterException or ResourceNotReadyException if a dataset differs from the distribution's result.

    The message names the dataset and the change.
    """
    arn = context.scope.format_dataset_arn(identity)
    dataset = projects.find_dataset(context.table, identity)
    if dataset is None or dataset.status is DatasetStatus.DELETE_IN_PROGRESS:
        raise InvalidParameterException(
            f"The last distribution cannot be reverted: the dataset {arn} has been deleted since."
        )
    if dataset.status not in READY_STATUSES:
        raise ResourceNotReadyException(
            f"The dataset {arn} is not ready: its status is {dataset.status}."
        )
    if dataset.contents is None or dataset.contents.folder != distributed.folder:
        changed = to_datetime(dataset.updated).isoformat(timespec="seconds")
        raise InvalidParameterException(
            f"The last distribution cannot be reverted: the dataset {arn} has been changed since, at {changed}."
        )


def _require_retained(
    context: RequestContext, distribution: Distribution
) -> dict[str, Retirement | None]:
    """Return the retirement of each folder with earlier contents. Raises InvalidParameterException after a deletion.

    The function reads a retirement before looking up the contents, and Collect changes it before deleting the contents.
    So after a later deletion the transaction of the revert fails.
    """
    retirements = {}
    for name, contents in (("training", distribution.before), ("test", distribution.test_before)):
        if contents is None:
            continue
        folder = contents.folder
        retirements[folder] = retired.find_retirement(context.table, folder)
        if _is_deleted(context, folder, retirements[folder]):
            raise InvalidParameterException(
                f"The last distribution cannot be reverted: the earlier contents of the {name} dataset have been deleted "
                "after the retention time."
            )
    return retirements


def _is_deleted(context: RequestContext, folder: str, retirement: Retirement | None) -> bool:
    is_collected = retirement is not None and retirement.collecting
    return is_collected or context.bucket.find_size(ContentsKeys(folder).manifest) is None


def list_dataset_distributions(
    context: RequestContext, request: ListDatasetDistributionsRequest
) -> Result:
    """List the completed distributions and dry runs of a project, newest first."""
    project = context.get_project(request.project_arn)
    token_request = ["ListDatasetDistributions", request.project_arn]
    after = ""
    if request.next_token:
        (after,) = context.decode_token(token_request, request.next_token, str)
    limit = request.max_results
    entries = history.list_distributions(context.table, project, after=after, limit=limit + 1)
    result: Result = {"Distributions": [_describe(context, entry) for entry in entries[:limit]]}
    if len(entries) <= limit:
        return result
    return result | {
        "NextToken": context.encode_token(token_request, [entries[limit - 1].position])
    }


def _describe(context: RequestContext, entry: HistoryEntry) -> Result:
    distribution = entry.distribution
    report_keys = ReportKeys(distribution.datasets[0].project, distribution.operation)
    train, test = (context.scope.format_dataset_arn(dataset) for dataset in distribution.datasets)
    description: Result = {
        "DistributionId": distribution.operation,
        "TrainDatasetArn": train,
        "TestDatasetArn": test,
        "StartTimestamp": to_datetime(distribution.begun),
        "EndTimestamp": to_datetime(distribution.ended),
        "Caller": distribution.caller,
        "Parameters": _describe_parameters(distribution),
        "DryRun": distribution.parameters.dry_run,
        "TotalEntries": distribution.entries,
        "TestEntries": distribution.test_entries,
        "Certificate": {
            "Deviation": distribution.deviation,
            "LowerBound": distribution.lower_bound,
            "Optimal": distribution.optimal,
            "Proof": distribution.proof,
        },
        "Reverted": entry.reverted is not None,
        "ReportUrl": presign_url(context.bucket, report_keys.report, LINK_SECONDS),
        "ReportPageUrl": presign_url(context.bucket, report_keys.page, LINK_SECONDS),
    }
    if entry.reverted is None:
        return description
    return description | {
        "RevertedTimestamp": to_datetime(entry.reverted),
        "RevertedBy": entry.reverted_by,
    }


def _describe_parameters(distribution: Distribution) -> Result:
    parameters = distribution.parameters
    return {
        "TestFraction": parameters.test_fraction,
        "Seed": parameters.seed,
        "MinImagesPerLabel": parameters.min_images_per_label,
        "Objective": parameters.objective,
        **({"GroupBy": parameters.group_by} if parameters.group_by is not None else {}),
        **({"KeepTest": True} if distribution.test_before else {}),
    }
