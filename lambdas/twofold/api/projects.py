"""CreateProject, DescribeProjects."""

from typing import Any

from twofold.api.contract import CreateProjectRequest, DescribeProjectsRequest
from twofold.api.service import Service, moment
from twofold.errors import InvalidParameterException, LimitExceededException
from twofold.records import Dataset, Project
from twofold.stores.table import projects as store

Result = dict[str, Any]

_MODERATION = "CONTENT_MODERATION"


def create_project(service: Service, request: CreateProjectRequest) -> Result:
    _check_auto_update(request)
    project = Project(
        name=request.project_name,
        created=service.now,
        feature=request.feature,
        auto_update=request.auto_update,
        tags=dict(request.tags),
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
    """By creation time, oldest first. Names that do not exist are left out; a page may be short and have a NextToken."""
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
    """The projects after a place in the catalogue: one more than are shown, if there are so many."""
    limit = request.max_results + 1
    if not request.project_names:
        names = [name for _, name in store.catalogue(service.table, after=after, limit=limit)]
        return store.find_many(service.table, names)
    found = store.find_many(service.table, dict.fromkeys(request.project_names))
    return sorted((project for project in found if _place(project) > after), key=_place)[:limit]


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
