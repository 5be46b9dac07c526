"""CreateProject, DescribeProjects."""

from typing import Any

from twofold.api import tokens
from twofold.api.contract import CreateProjectRequest, DescribeProjectsRequest
from twofold.api.service import Service, moment
from twofold.errors import LimitExceededException
from twofold.records import Dataset, Project
from twofold.stores.table import projects as store

Result = dict[str, Any]


def create_project(service: Service, request: CreateProjectRequest) -> Result:
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
    store.create(service.table, project)
    return {"ProjectArn": service.scope.project_arn(project)}


def describe_projects(service: Service, request: DescribeProjectsRequest) -> Result:
    """By creation time, oldest first. Names that do not exist are left out."""
    token = None
    if request.project_names:
        names = list(dict.fromkeys(request.project_names))
        found = store.find_many(service.table, names)
        found.sort(key=lambda project: (project.created, project.name))
    else:
        after = ""
        if request.next_token:
            (after,) = tokens.decode("DescribeProjects", request.next_token, str)
        page = store.catalogue(service.table, after=after, limit=request.max_results + 1)
        shown = page[: request.max_results]
        if len(page) > len(shown):
            token = tokens.encode("DescribeProjects", [shown[-1][0]])
        found = store.find_many(service.table, [name for _, name in shown])
    chosen = [project for project in found if project.feature in request.features]
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
    return result | ({"NextToken": token} if token else {})


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
