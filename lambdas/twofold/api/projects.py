"""CreateProject, DescribeProjects."""

from typing import Any

from twofold.access import Guard
from twofold.api.context import RequestContext, to_datetime
from twofold.api.ownership import is_allowed
from twofold.api.requests import CreateProjectRequest, DescribeProjectsRequest
from twofold.errors import InvalidParameterException, LimitExceededException
from twofold.records import Dataset, Project
from twofold.stores.table import projects as store

Result = dict[str, Any]

_MODERATION = "CONTENT_MODERATION"
_GUARDED_BATCH = 1_000
"""Batch size for reading the catalogue under the guard, where most projects can belong to other principals."""


def create_project(context: RequestContext, request: CreateProjectRequest) -> Result:
    """Create a project, owned by the calling principal."""
    _check_auto_update(request)
    project = Project(
        name=request.project_name,
        created=context.now,
        feature=request.feature,
        auto_update=request.auto_update,
        tags=dict(request.tags),
        owner=context.principal.id or None,
        owner_arn=context.principal.arn or None,
    )
    limit = context.quotas.projects
    if len(store.list_catalogue(context.table, after="", limit=limit)) == limit:
        raise LimitExceededException(
            f"The maximum of {limit} projects is reached; delete a project first."
        )
    response = {"ProjectArn": context.scope.format_project_arn(project)}
    store.create(context.with_idempotent_response(response), project)
    return response


def _check_auto_update(request: CreateProjectRequest) -> None:
    """Raise InvalidParameterException unless exactly the feature CONTENT_MODERATION comes with AutoUpdate."""
    if request.feature == _MODERATION and request.auto_update is None:
        raise InvalidParameterException(f"AutoUpdate is required for the Feature {_MODERATION}.")
    if request.feature != _MODERATION and request.auto_update is not None:
        raise InvalidParameterException(f"AutoUpdate is only for the Feature {_MODERATION}.")


def describe_projects(context: RequestContext, request: DescribeProjectsRequest) -> Result:
    """List projects by creation time, oldest first. A short page can have a NextToken.

    Unknown names and names of inaccessible projects are ignored.
    """
    token_request = ["DescribeProjects", sorted(request.project_names), sorted(request.features)]
    after = ""
    if request.next_token:
        (after,) = context.decode_token(token_request, request.next_token, str)
    page = _list_page(context, request, after)
    page_projects = page[: request.max_results]
    chosen = [project for project in page_projects if project.feature in request.features]
    datasets = store.find_datasets(
        context.table, [dataset for project in chosen for dataset in project.list_datasets()]
    )
    result: Result = {
        "ProjectDescriptions": [
            _describe_project(
                context, project, [datasets[i] for i in project.list_datasets() if i in datasets]
            )
            for project in chosen
        ]
    }
    if len(page) == len(page_projects):
        return result
    return result | {
        "NextToken": context.encode_token(token_request, [_get_position(page_projects[-1])])
    }


def _list_page(
    context: RequestContext, request: DescribeProjectsRequest, after: str
) -> list[Project]:
    """Return the caller's projects after a position in the catalogue: up to `max_results` + 1."""
    limit = request.max_results + 1
    if not request.project_names:
        return _list_catalogue(context, after, limit)
    candidates = store.find_many(context.table, dict.fromkeys(request.project_names))
    later = (
        project
        for project in candidates
        if _get_position(project) > after and is_allowed(context, project)
    )
    return sorted(later, key=_get_position)[:limit]


def _list_catalogue(context: RequestContext, after: str, limit: int) -> list[Project]:
    """Return up to `limit` projects of the caller.

    Projects of different principals are skipped here rather than removed from the page later, since the position in a
    NextToken must not reveal them.
    """
    size = limit if context.access.guard is Guard.NONE else max(limit, _GUARDED_BATCH)
    page: list[Project] = []
    while len(page) < limit:
        entries = store.list_catalogue(context.table, after=after, limit=size)
        projects = store.find_many(context.table, [name for _, name in entries])
        page += [project for project in projects if is_allowed(context, project)]
        if len(entries) < size:
            break
        after = entries[-1][0]
    return page[:limit]


def _get_position(project: Project) -> str:
    return store.build_catalogue_position(project.created, project.name)


def _describe_project(context: RequestContext, project: Project, datasets: list[Dataset]) -> Result:
    description: Result = {
        "ProjectArn": context.scope.format_project_arn(project),
        "CreationTimestamp": to_datetime(project.created),
        "Status": "CREATED",
        "Datasets": [_describe_dataset(context, dataset) for dataset in datasets],
        "Feature": project.feature,
    }
    return description | ({"AutoUpdate": project.auto_update} if project.auto_update else {})


def _describe_dataset(context: RequestContext, dataset: Dataset) -> Result:
    return {
        "CreationTimestamp": to_datetime(dataset.id.created),
        "DatasetType": dataset.id.type.value,
        "DatasetArn": context.scope.format_dataset_arn(dataset.id),
        "Status": dataset.status.value,
        "StatusMessage": dataset.status_message,
        "StatusMessageCode": dataset.status_message_code.value,
    }
