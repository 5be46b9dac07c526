"""RevertDatasetDistribution, ListDatasetDistributions: what Twofold remembers of a project's distributions, and undoes."""

from typing import Any

from twofold.api.contract import (
    ListDatasetDistributionsRequest,
    RevertDatasetDistributionRequest,
)
from twofold.api.service import Service, moment
from twofold.errors import InvalidParameterException, ResourceNotReadyException
from twofold.records import SETTLED, Contents, DatasetId, Distribution, Status
from twofold.stores.folders import link
from twofold.stores.keys import ContentsKeys, ReportKeys
from twofold.stores.table import history, projects, released
from twofold.stores.table.history import Remembered
from twofold.stores.table.released import Note

Result = dict[str, Any]

LINK_SECONDS = 900


def revert_dataset_distribution(
    service: Service, request: RevertDatasetDistributionRequest
) -> Result:
    """Both datasets get back what they had before the last distribution, at once; what is reverted already stays so."""
    project = service.project(request.project_arn)
    last = history.last(service.table, project)
    if last is None:
        raise InvalidParameterException(
            f"The project {request.project_arn} has no distribution that could be reverted."
        )
    if last.reverted is not None:
        return service.answer_unchanged({})
    done = last.distribution
    for dataset, after in zip(done.datasets, done.after, strict=True):
        _require_unchanged(service, dataset, after)
    kept = _require_kept(service, done)
    now = service.moment_from(done.ended + 1)
    if not history.revert(service.answering({}), done, kept, service.caller, now):
        raise ResourceNotReadyException(
            f"The datasets of {request.project_arn} have just been changed by another call."
        )
    return {}


def _require_unchanged(service: Service, identity: DatasetId, after: Contents) -> None:
    """Raises InvalidParameterException, ResourceNotReadyException, saying what happened to which dataset."""
    arn = service.scope.dataset_arn(identity)
    dataset = projects.find_dataset(service.table, identity)
    if dataset is None or dataset.status is Status.DELETE_IN_PROGRESS:
        raise InvalidParameterException(
            f"The last distribution cannot be reverted: the dataset {arn} has been deleted since."
        )
    if dataset.status not in SETTLED:
        raise ResourceNotReadyException(
            f"The dataset {arn} is not ready: its status is {dataset.status}."
        )
    if dataset.contents is None or dataset.contents.folder != after.folder:
        changed = moment(dataset.updated).isoformat(timespec="seconds")
        raise InvalidParameterException(
            f"The last distribution cannot be reverted: the dataset {arn} has been changed since, at {changed}."
        )


def _require_kept(service: Service, done: Distribution) -> Note | None:
    """The note of the contents to come back, read before they are looked for, so that their removal cannot come between."""
    folder = done.before.folder
    note = released.find(service.table, folder)
    gone = note is not None and note.collecting
    if gone or service.bucket.size(ContentsKeys(folder).manifest) is None:
        raise InvalidParameterException(
            "The last distribution cannot be reverted: what the training dataset had before has been removed "
            "after the retention time."
        )
    return note


def list_dataset_distributions(
    service: Service, request: ListDatasetDistributionsRequest
) -> Result:
    """Newest first."""
    project = service.project(request.project_arn)
    asked = ["ListDatasetDistributions", request.project_arn]
    after = ""
    if request.next_token:
        (after,) = service.position(asked, request.next_token, str)
    limit = request.max_results
    found = history.page(service.table, project, after=after, limit=limit + 1)
    result: Result = {"Distributions": [_description(service, one) for one in found[:limit]]}
    if len(found) <= limit:
        return result
    return result | {"NextToken": service.token(asked, [found[limit - 1].place])}


def _description(service: Service, one: Remembered) -> Result:
    done = one.distribution
    place = ReportKeys(done.datasets[0].project, done.operation)
    train, test = (service.scope.dataset_arn(dataset) for dataset in done.datasets)
    description: Result = {
        "DistributionId": done.operation,
        "TrainDatasetArn": train,
        "TestDatasetArn": test,
        "StartTimestamp": moment(done.begun),
        "EndTimestamp": moment(done.ended),
        "Caller": done.caller,
        "Parameters": _parameters(done),
        "DryRun": done.parameters.dry_run,
        "TotalEntries": done.entries,
        "TestEntries": done.test_entries,
        "Certificate": {
            "Deviation": done.deviation,
            "LowerBound": done.lower_bound,
            "Optimal": done.optimal,
            "Proof": done.proof,
        },
        "Reverted": one.reverted is not None,
        "ReportUrl": link(service.bucket, place.report, LINK_SECONDS),
        "ReportPageUrl": link(service.bucket, place.page, LINK_SECONDS),
    }
    if one.reverted is None:
        return description
    return description | {
        "RevertedTimestamp": moment(one.reverted),
        "RevertedBy": one.reverted_by,
    }


def _parameters(done: Distribution) -> Result:
    asked = done.parameters
    return {
        "TestFraction": asked.test_fraction,
        "Seed": asked.seed,
        "MinImagesPerLabel": asked.min_images_per_label,
        "Objective": asked.objective,
        **({"GroupBy": asked.group_by} if asked.group_by is not None else {}),
    }
