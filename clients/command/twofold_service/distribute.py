"""`twofold distribute`: have the service move entries into the test dataset, and wait for the result."""

from typing import Any

from twofold_command.errors import CommandError
from twofold_command.progress import show_progress
from twofold_service.driver import create_dataset, start_distribution
from twofold_service.projects import Dataset, get_project, wait_until_complete
from twofold_service.session import Service, convert_aws_errors


def distribute_entries(
    service: Service, name: str, parameters: dict[str, Any]
) -> tuple[Dataset, Dataset]:
    """Distributes the entries of the project `name` and returns the completed training and test datasets.

    `parameters` are Twofold's additional members of the request. Creates an empty test dataset if the project
    has none. Raises CommandError.
    """
    with convert_aws_errors():
        project = get_project(service, name)
        train, test = project.get_dataset("train"), project.get_dataset("test")
        if train is None:
            raise CommandError(
                f"The project {name} has no training dataset; create it with `twofold push`."
            )
        if test is None:
            arn = create_dataset(service.rekognition, project.arn, "TEST")
            test = Dataset.describe(service, "test", arn)
        start_distribution(service.rekognition, train.arn, test.arn, **parameters)
        with show_progress("Distributing", unit="tasks") as bar:
            return wait_until_complete(service, train, bar), wait_until_complete(service, test, bar)
