"""`twofold history` and `twofold revert`: list the distributions of a project, and undo the last one."""

from collections.abc import Iterator
from typing import Any

from twofold_service.projects import Project, get_project
from twofold_service.session import Service, convert_aws_errors

Distribution = dict[str, Any]


def list_distributions(service: Service, name: str) -> Iterator[Distribution]:
    """Yields the distributions of the project as ListDatasetDistributions returns them, newest first. Raises CommandError."""
    with convert_aws_errors():
        arn = get_project(service, name).arn
        parameters: dict[str, str] = {"ProjectArn": arn}
        while True:
            page = service.rekognition.list_dataset_distributions(**parameters)
            yield from page["Distributions"]
            if "NextToken" not in page:
                return
            parameters["NextToken"] = page["NextToken"]


def revert_distribution(service: Service, name: str) -> Project:
    """Undoes the last distribution and returns the project with its new datasets. Raises CommandError."""
    with convert_aws_errors():
        arn = get_project(service, name).arn
        service.rekognition.revert_dataset_distribution(ProjectArn=arn)
        return get_project(service, name)
