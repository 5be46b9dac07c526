"""Test cases of mutating calls with a lost response: request, concurrent change, and the state to compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from local.emulator.server import Emulator
from local.model import EXTENSION
from tests.support.job import Job, make_line, make_two_label_lines
from twofold.settings import ApiOperation

Request = dict[str, Any]


@dataclass(frozen=True)
class MutationCase:
    """A mutating operation. `prepare` returns a request; `interfere` is another call between the first attempt and the retry.

    `read_state` returns the same value before and after the retry."""

    prepare: Callable[[Job], Request]
    read_state: Callable[[Job, Request], Any]
    interfere: Callable[[Job, Request], object] = lambda job, request: None


def _prepare_create_project(job: Job) -> Request:
    return {"ProjectName": f"again-{uuid4().hex[:12]}"}


def _describe_project(job: Job, request: Request) -> object:
    name = request.get("ProjectName") or request["ProjectArn"].split("/")[1]
    return job.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]


def _delete_created_project(job: Job, request: Request) -> None:
    (project,) = job.client.describe_projects(ProjectNames=[request["ProjectName"]])[
        "ProjectDescriptions"
    ]
    job.client.delete_project(ProjectArn=project["ProjectArn"])


def _recreate_project(job: Job, request: Request) -> None:
    job.client.create_project(ProjectName=request["ProjectArn"].split("/")[1])


def _describe_datasets(job: Job, request: Request) -> object:
    (project,) = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]
    arns = [dataset["DatasetArn"] for dataset in project["Datasets"]]
    return [job.wait_for_dataset(arn) for arn in arns]


def _prepare_create_dataset(job: Job) -> Request:
    source = job.upload_source(make_two_label_lines(10))
    return {"ProjectArn": job.project, "DatasetType": "TRAIN", "DatasetSource": source}


def _delete_created_dataset(job: Job, request: Request) -> None:
    (project,) = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]
    (dataset,) = project["Datasets"]
    job.wait_for_dataset(dataset["DatasetArn"])
    job.client.delete_dataset(DatasetArn=dataset["DatasetArn"])


def _prepare_distribution(job: Job) -> Request:
    train, test = job.create_pair(make_two_label_lines(20))
    return {"Datasets": [{"Arn": train}, {"Arn": test}]}


def _recreate_test_dataset(job: Job, request: Request) -> None:
    """Delete and create the test dataset again, so the same distribution would be possible a second time."""
    test = request["Datasets"][1]["Arn"]
    job.wait_for_dataset(test)
    job.client.delete_dataset(DatasetArn=test)
    job.create_dataset("TEST")


def _prepare_revert(job: Job) -> Request:
    _distribute_again(job, {})
    return {"ProjectArn": job.project}


def _distribute_again(job: Job, request: Request) -> None:
    """Distribute the project's datasets, after creating them if there are none."""
    project = job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])
    arns = [dataset["DatasetArn"] for dataset in project["ProjectDescriptions"][0]["Datasets"]]
    arns = arns or [*job.create_pair(make_two_label_lines(20))]
    job.client.distribute_dataset_entries(Datasets=[{"Arn": arn} for arn in arns])
    for arn in arns:
        assert job.wait_for_dataset(arn)["Status"] == "UPDATE_COMPLETE"


def _prepare_update(job: Job) -> Request:
    train, _ = job.create_pair(make_two_label_lines(6))
    return {"DatasetArn": train, "Changes": {"GroundTruth": make_line("new", "cat").encode()}}


def _update_same_entry(job: Job, request: Request) -> None:
    job.wait_for_dataset(request["DatasetArn"])
    changes = {"GroundTruth": make_line("new", "dog").encode()}
    job.client.update_dataset_entries(DatasetArn=request["DatasetArn"], Changes=changes)
    job.wait_for_dataset(request["DatasetArn"])


def _list_entries(job: Job, request: Request) -> object:
    return job.wait_for_dataset(request["DatasetArn"]), job.list_entries(request["DatasetArn"])


def _prepare_tags(job: Job) -> Request:
    job.client.tag_resource(ResourceArn=job.project, Tags={"kept": "a", "gone": "a"})
    return {"ResourceArn": job.project}


def _list_tags(job: Job, request: Request) -> object:
    return job.client.list_tags_for_resource(ResourceArn=request["ResourceArn"])["Tags"]


MUTATION_CASES: Mapping[ApiOperation, MutationCase] = {
    ApiOperation.CREATE_PROJECT: MutationCase(
        _prepare_create_project, _describe_project, _delete_created_project
    ),
    ApiOperation.DELETE_PROJECT: MutationCase(
        lambda job: {"ProjectArn": job.project}, _describe_project, _recreate_project
    ),
    ApiOperation.CREATE_DATASET: MutationCase(
        _prepare_create_dataset, _describe_datasets, _delete_created_dataset
    ),
    ApiOperation.DELETE_DATASET: MutationCase(
        lambda job: {"DatasetArn": job.create_dataset("TRAIN")},
        _describe_datasets,
        lambda job, request: job.create_dataset("TRAIN"),
    ),
    ApiOperation.DISTRIBUTE_DATASET_ENTRIES: MutationCase(
        _prepare_distribution, _describe_datasets, _recreate_test_dataset
    ),
    ApiOperation.REVERT_DATASET_DISTRIBUTION: MutationCase(
        _prepare_revert, _describe_datasets, _distribute_again
    ),
    ApiOperation.UPDATE_DATASET_ENTRIES: MutationCase(
        _prepare_update, _list_entries, _update_same_entry
    ),
    ApiOperation.TAG_RESOURCE: MutationCase(
        lambda job: _prepare_tags(job) | {"Tags": {"kept": "b", "more": "b"}},
        _list_tags,
        lambda job, request: job.client.untag_resource(
            **_select_resource_arn(request), TagKeys=["more"]
        ),
    ),
    ApiOperation.UNTAG_RESOURCE: MutationCase(
        lambda job: _prepare_tags(job) | {"TagKeys": ["gone", "never-there"]},
        _list_tags,
        lambda job, request: job.client.tag_resource(
            **_select_resource_arn(request), Tags={"gone": "c"}
        ),
    ),
}


def _select_resource_arn(request: Request) -> Request:
    return {"ResourceArn": request["ResourceArn"]}


class LossyClient:
    """A boto3 client with the SDK's retries, where the first response is lost. `response_bodies` has the bodies of all."""

    def __init__(self, emulator: Emulator, between: Callable[[], object] = lambda: None) -> None:
        self.response_bodies: list[bytes] = []
        self.invocation_ids: list[str] = []
        self._between = between
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        self.client = emulator.create_client("rekognition", config=config, models=EXTENSION)
        self.client.meta.events.register("before-send.rekognition.*", self._send)

    def _send(self, request: Any, **_: Any) -> Any:
        response = self.client._endpoint.http_session.send(request)
        self.response_bodies.append(response.content)
        self.invocation_ids.append(request.headers["amz-sdk-invocation-id"].decode())
        if len(self.response_bodies) > 1:
            return response
        self._between()
        raise ConnectionClosedError(endpoint_url=request.url)
