"""Calls that change something, each with what others do before the call is repeated and what must be so afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from local.model import EXTENSION
from local.stack import Stack
from tests.job import Job, line, two_labels
from twofold.settings import Operation

Request = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """`prepare` gives the request; `between` happens after the change and before its repetition, which must undo none of it:
    `found` is the same before and after the repetition."""

    prepare: Callable[[Job], Request]
    found: Callable[[Job, Request], Any]
    between: Callable[[Job, Request], object] = lambda job, request: None


def _new_project(job: Job) -> Request:
    return {"ProjectName": f"again-{uuid4().hex[:12]}"}


def _projects(job: Job, request: Request) -> object:
    name = request.get("ProjectName") or request["ProjectArn"].split("/")[1]
    return job.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]


def _delete_project_of(job: Job, request: Request) -> None:
    (project,) = job.client.describe_projects(ProjectNames=[request["ProjectName"]])[
        "ProjectDescriptions"
    ]
    job.client.delete_project(ProjectArn=project["ProjectArn"])


def _project_made_again(job: Job, request: Request) -> None:
    job.client.create_project(ProjectName=request["ProjectArn"].split("/")[1])


def _datasets(job: Job, request: Request) -> object:
    (project,) = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]
    arns = [dataset["DatasetArn"] for dataset in project["Datasets"]]
    return [job.settled(arn) for arn in arns]


def _create_from_manifest(job: Job) -> Request:
    source = job.source(two_labels(10))
    return {"ProjectArn": job.project, "DatasetType": "TRAIN", "DatasetSource": source}


def _delete_the_dataset(job: Job, request: Request) -> None:
    (project,) = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]
    (dataset,) = project["Datasets"]
    job.settled(dataset["DatasetArn"])
    job.client.delete_dataset(DatasetArn=dataset["DatasetArn"])


def _distribute(job: Job) -> Request:
    train, test = job.pair(two_labels(20))
    return {"Datasets": [{"Arn": train}, {"Arn": test}]}


def _made_empty_again(job: Job, request: Request) -> None:
    """The test dataset is deleted and made anew, so that the same distribution could be made a second time."""
    test = request["Datasets"][1]["Arn"]
    job.settled(test)
    job.client.delete_dataset(DatasetArn=test)
    job.create("TEST")


def _revert(job: Job) -> Request:
    _distributed_again(job, {})
    return {"ProjectArn": job.project}


def _distributed_again(job: Job, request: Request) -> None:
    """The first time makes the datasets; reverted or not, they are distributed afterwards."""
    project = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])
    arns = [one["DatasetArn"] for one in project["ProjectDescriptions"][0]["Datasets"]]
    arns = arns or [*job.pair(two_labels(20))]
    job.client.distribute_dataset_entries(Datasets=[{"Arn": arn} for arn in arns])
    for arn in arns:
        assert job.settled(arn)["Status"] == "UPDATE_COMPLETE"


def _update(job: Job) -> Request:
    train, _ = job.pair(two_labels(6))
    return {"DatasetArn": train, "Changes": {"GroundTruth": line("new", "cat").encode()}}


def _updated_by_another(job: Job, request: Request) -> None:
    job.settled(request["DatasetArn"])
    changes = {"GroundTruth": line("new", "dog").encode()}
    job.client.update_dataset_entries(DatasetArn=request["DatasetArn"], Changes=changes)
    job.settled(request["DatasetArn"])


def _entries(job: Job, request: Request) -> object:
    return job.settled(request["DatasetArn"]), job.entries(request["DatasetArn"])


def _tagged(job: Job) -> Request:
    job.client.tag_resource(ResourceArn=job.project, Tags={"kept": "a", "gone": "a"})
    return {"ResourceArn": job.project}


def _tags(job: Job, request: Request) -> object:
    return job.client.list_tags_for_resource(ResourceArn=request["ResourceArn"])["Tags"]


CHANGES: Mapping[Operation, Change] = {
    Operation.CREATE_PROJECT: Change(_new_project, _projects, _delete_project_of),
    Operation.DELETE_PROJECT: Change(
        lambda job: {"ProjectArn": job.project}, _projects, _project_made_again
    ),
    Operation.CREATE_DATASET: Change(_create_from_manifest, _datasets, _delete_the_dataset),
    Operation.DELETE_DATASET: Change(
        lambda job: {"DatasetArn": job.create("TRAIN")},
        _datasets,
        lambda job, request: job.create("TRAIN"),
    ),
    Operation.DISTRIBUTE_DATASET_ENTRIES: Change(_distribute, _datasets, _made_empty_again),
    Operation.REVERT_DATASET_DISTRIBUTION: Change(_revert, _datasets, _distributed_again),
    Operation.UPDATE_DATASET_ENTRIES: Change(_update, _entries, _updated_by_another),
    Operation.TAG_RESOURCE: Change(
        lambda job: _tagged(job) | {"Tags": {"kept": "b", "more": "b"}},
        _tags,
        lambda job, request: job.client.untag_resource(**_only(request), TagKeys=["more"]),
    ),
    Operation.UNTAG_RESOURCE: Change(
        lambda job: _tagged(job) | {"TagKeys": ["gone", "never-there"]},
        _tags,
        lambda job, request: job.client.tag_resource(**_only(request), Tags={"gone": "c"}),
    ),
}


def _only(request: Request) -> Request:
    return {"ResourceArn": request["ResourceArn"]}


class Lossy:
    """A boto3 client, with the SDK's own retries, that loses its first answer. `answers` are the bodies that came."""

    def __init__(self, stack: Stack, between: Callable[[], object] = lambda: None) -> None:
        self.answers: list[bytes] = []
        self.invocations: list[str] = []
        self._between = between
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        self.client = stack.client("rekognition", config=config, models=EXTENSION)
        self.client.meta.events.register("before-send.rekognition.*", self._send)

    def _send(self, request: Any, **_: Any) -> Any:
        answer = self.client._endpoint.http_session.send(request)
        self.answers.append(answer.content)
        self.invocations.append(request.headers["amz-sdk-invocation-id"].decode())
        if len(self.answers) > 1:
            return answer
        self._between()
        raise ConnectionClosedError(endpoint_url=request.url)
