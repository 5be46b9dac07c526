"""CreateProject, DescribeProjects."""

from typing import Any

from twofold.access import Guard
from twofold.api.contract import CreateProjectRequest, DescribeProjectsRequest
from twofold.api.ownership import admits
from twofold.api.service import Service, moment
from twofold.errors import InvalidParameterException, LimitExceededException
from twofold.records import Dataset, Project
from twofold.stores.table import projects as store

Result = dict[str, Any]

_MODERATION = "CONTENT_MODERATION"
_GUARDED_BATCH = 1_000
"""Entries of the catalogue that are read at a time where most may be of others."""


def create_project(service: Service, request: CreateProjectRequest) -> Result:
    _check_auto_update(request)
    project = Project(
        name=request.project_name,
        created=service.now,
        feature=request.feature,
        auto_update=request.auto_update,
        tags=dict(request.tags),
        owner=service.principal.id or None,
        owner_arn=service.principal.arn or None,
    )
    limit = service.limits.projects
    if len(store.catalogue(service.table, after="", limit=limit)) == limit:
        raise LimitExceededException(f"There are {limit} projects already; delete one first.")
    answer = {"ProjectArn": service.scope.project_arn(project)}
    store.create(service.answering(answer), project)
    return answer


def _check_auto_update(request: CreateProjectRequest) -> None:
    """AutoUpdate is about adapters: they need it, and nothing else has it."""
    if request.feature == _MODERATION and request.auto_update is None:
        raise InvalidParameterException(f"AutoUpdate is required for the Feature {_MODERATION}.")
    if request.feature != _MODERATION and request.auto_update is not None:
        raise InvalidParameterException(f"AutoUpdate is only for the Feature {_MODERATION}.")


def describe_projects(service: Service, request: DescribeProjectsRequest) -> Result:
    """By creation time, oldest first. Names that do not exist, or are not for the caller, are left out.

    A page may be short and have a NextToken.
    """
    asked = ["DescribeProjects", sorted(request.project_names), sorted(request.features)]
    after = ""
    if request.next_token:
        (after,) = service.position(asked, request.next_token, str)
    page = _page(service, request, after)
    shown = page[: request.max_results]
    chosen = [project for project in shown if project.feature in request.features]
    datasets = store.find_datasets(
        service.table, [dataset for project in chosen for dataset in project.datasets()]
    )
    result: Result = {
        "ProjectDescriptions": [
            _description(
                service, project, [datasets[i] for i in project.datasets() if i in datasets]
            )
            for project in chosen
        ]
    }
    if len(page) == len(shown):
        return result
    return result | {"NextToken": service.token(asked, [_place(shown[-1])])}


def _page(service: Service, request: DescribeProjectsRequest, after: str) -> list[Project]:
    """The caller's projects after a place in the catalogue: one more than are shown, if there are so many."""
    limit = request.max_results + 1
    if not request.project_names:
        return _list_catalogue(service, after, limit)
    candidates = store.find_many(service.table, dict.fromkeys(request.project_names))
    later = (
        project for project in candidates if _place(project) > after and admits(service, project)
    )
    return sorted(later, key=_place)[:limit]


def _list_catalogue(service: Service, after: str, limit: int) -> list[Project]:
    """Up to `limit` projects of the caller; others are read and passed over, since a token may not name their places."""
    size = limit if service.access.guard is Guard.NONE else max(limit, _GUARDED_BATCH)
    page: list[Project] = []
    while len(page) < limit:
        entries = store.catalogue(service.table, after=after, limit=size)
        projects = store.find_many(service.table, [name for _, name in entries])
        page += [project for project in projects if admits(service, project)]
        if len(entries) < size:
            break
        after = entries[-1][0]
    return page[:limit]


def _place(project: Project) -> str:
    return store.position(project.created, project.name)


def _description(service: Service, project: Project, datasets: list[Dataset]) -> Result:
    description: Result = {
        "ProjectArn": service.scope.project_arn(project),
        "CreationTimestamp": moment(project.created),
        "Status": "CREATED",
        "Datasets": [_metadata(service, dataset) for dataset in datasets],
        "Feature": project.feature,
    }
    return description | ({"AutoUpdate": project.auto_update} if project.auto_update else {})


def _metadata(service: Service, dataset: Dataset) -> Result:
    return {
        "CreationTimestamp": moment(dataset.id.created),
        "DatasetType": dataset.id.type.value,
        "DatasetArn": service.scope.dataset_arn(dataset.id),
        "Status": dataset.status.value,
        "StatusMessage": dataset.status_message,
        "StatusMessageCode": dataset.status_message_code.value,
    }
