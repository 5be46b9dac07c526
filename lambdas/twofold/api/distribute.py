"""DistributeDatasetEntries: read and check both datasets, claim them in one transaction, and start the distribute workflow.

The response `{}` means that the operation is claimed. Its result is the status of the datasets. If the claim fails, nothing has
changed; if the start fails, the operation is abandoned: both datasets become UPDATE_FAILED with their contents unchanged
(`RequestContext.start_or_abandon`).
"""

from typing import Any

from twofold.api.context import RequestContext, make_operation_id
from twofold.api.parameters import resolve_split_parameters
from twofold.api.requests import DistributeDatasetEntriesRequest
from twofold.errors import (
    InvalidParameterException,
    ResourceNotReadyException,
)
from twofold.records import (
    READY_STATUSES,
    Contents,
    Dataset,
    DatasetType,
    Operation,
    OperationKind,
    Project,
)
from twofold.stores.table import history, operations, projects


def distribute_dataset_entries(
    context: RequestContext, request: DistributeDatasetEntriesRequest
) -> dict[str, Any]:
    """Claim the training and the test dataset, named in either order, and start the distribute workflow."""
    train, test = _get_pair(context, [dataset.arn for dataset in request.datasets])
    project = projects.find(context.table, train.id.project)
    parameters = resolve_split_parameters(request, project.tags if project else {})
    _require_distributable(context, train, test, keep_test=request.keep_test)
    operation = Operation(
        id=make_operation_id(),
        kind=OperationKind.DISTRIBUTE,
        datasets=(train.id, test.id),
        # Also the time of the claim: later than the last change of either dataset, even if a clock that is ahead gave its time.
        created=context.choose_timestamp(train.updated + 1, test.updated + 1),
        before=train.contents,
        test_before=test.contents,
        train_after_last=_find_train_after_last(context, project, train, test),
        parameters=parameters,
        caller=context.caller,
    )
    # The table writes the response `{}` in the transaction of the claim, for repetitions of this call.
    if not operations.claim(
        context.with_idempotent_response({}), operation, (train, test), operation.created
    ):
        # A claim also fails if another call has changed the contents or deleted a dataset.
        raise ResourceNotReadyException(
            f"Another operation has just started on {_format_arn(context, train)} or {_format_arn(context, test)}."
        )
    context.start_or_abandon(operation)
    return {}


def _get_pair(context: RequestContext, arns: list[str]) -> tuple[Dataset, Dataset]:
    """Return (train, test). Raises InvalidParameterException, ResourceNotFoundException, AccessDeniedException."""
    # The model requires exactly two datasets.
    first, second = (context.parse_dataset_id(arn) for arn in arns)
    if first == second:
        raise InvalidParameterException(f"Datasets names {arns[0]} twice.")
    if first.type == second.type:
        raise InvalidParameterException(
            f"Both datasets are {first.type} datasets; give a training and a test dataset."
        )
    if first.project != second.project:
        raise InvalidParameterException(
            f"The datasets belong to different projects: '{first.project}' and '{second.project}'."
        )
    datasets = [context.get_dataset(arn) for arn in arns]
    if first.type is DatasetType.TEST:
        datasets.reverse()
    return datasets[0], datasets[1]


def _find_train_after_last(
    context: RequestContext, project: Project | None, train: Dataset, test: Dataset
) -> Contents | None:
    """Return the training dataset's contents after its last distribution, if the entries of the test dataset are kept."""
    # `_require_distributable` has checked that a test dataset with entries is kept.
    if project is None or test.contents is None:
        return None
    return history.find_contents_after_last_distribution(context.table, project, train.id)


def _require_distributable(
    context: RequestContext, train: Dataset, test: Dataset, *, keep_test: bool
) -> None:
    """Raise unless both datasets are ready, the training dataset has entries, and the test dataset has none or keeps them."""
    for dataset in (train, test):
        if dataset.status not in READY_STATUSES:
            raise ResourceNotReadyException(
                f"The dataset {_format_arn(context, dataset)} is not ready: its status is {dataset.status}."
            )
    # Contents have at least one entry: an ingest or update without accepted lines fails, and a distribution leaves no side
    # empty.
    if test.contents and not keep_test:
        raise InvalidParameterException(
            f"The test dataset {_format_arn(context, test)} is not empty: it has {test.contents.entries} entries."
        )
    if not train.contents:
        raise InvalidParameterException(
            f"The training dataset {_format_arn(context, train)} is empty."
        )


def _format_arn(context: RequestContext, dataset: Dataset) -> str:
    return context.scope.format_dataset_arn(dataset.id)
