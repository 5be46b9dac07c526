"""`twofold history` and `twofold revert`: what was distributed, and undoing the last of it."""

from collections.abc import Iterator
from typing import Any

from twofold_service.projects import Project, project
from twofold_service.session import Service, explained

Distribution = dict[str, Any]


def distributions(service: Service, name: str) -> Iterator[Distribution]:
    """As ListDatasetDistributions describes them, newest first; raises CommandError."""
    with explained():
        arn = project(service, name).arn
        asked: dict[str, str] = {"ProjectArn": arn}
        while True:
            page = service.rekognition.list_dataset_distributions(**asked)
            yield from page["Distributions"]
            if "NextToken" not in page:
                return
            asked["NextToken"] = page["NextToken"]


def revert(service: Service, name: str) -> Project:
    """Undoes the last distribution; the project as it is then. Raises CommandError."""
    with explained():
        arn = project(service, name).arn
        service.rekognition.revert_dataset_distribution(ProjectArn=arn)
        return project(service, name)
