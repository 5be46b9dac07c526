"""`twofold distribute`: the service moves the test entries, and this waits."""

from typing import Any

from twofold_command.errors import CommandError
from twofold_command.progress import progress
from twofold_service.projects import Dataset, project, settled
from twofold_service.session import Service, explained


def distribute(service: Service, name: str, asked: dict[str, Any]) -> tuple[Dataset, Dataset]:
    """(train, test) when they have what is theirs. `asked` are members of the request beyond Rekognition's own.

    Makes the empty test dataset unless it is there. Raises CommandError.
    """
    with explained():
        found = project(service, name)
        train, test = found.dataset("train"), found.dataset("test")
        if train is None:
            raise CommandError(
                f"The project {name} has no training dataset; `twofold push` makes one."
            )
        if test is None:
            answer = service.rekognition.create_dataset(ProjectArn=found.arn, DatasetType="TEST")
            test = Dataset.of(service, "test", answer["DatasetArn"])
        pair = [{"Arn": train.arn}, {"Arn": test.arn}]
        service.rekognition.distribute_dataset_entries(Datasets=pair, **asked)
        with progress("Distributing", unit="pieces") as step:
            return settled(service, train, step), settled(service, test, step)
